import { chooseSettings, type Settings } from '../../digits/settings.js';

/** Settings of the demo, which trains the teacher. */
export const SETTINGS: Settings = chooseSettings(false, 1);

export const STEPS_BETWEEN_EVALUATIONS = 20;
