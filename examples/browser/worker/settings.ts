import { chooseSettings, type Settings } from '../../digits/settings.js';

/** Those of the demo: the teacher is the one that it trains. */
export const SETTINGS: Settings = chooseSettings(false, 1);

export const STEPS_BETWEEN_EVALUATIONS = 20;
