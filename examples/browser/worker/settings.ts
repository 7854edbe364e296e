import { chooseSettings, type Settings } from '../../digits/settings.js';

/** Those of the demo: the teacher is the one that it trains. */
export const SETTINGS: Settings = chooseSettings(false, 1);

/** Of the digits that the teacher was trained on, those that a student sees. */
export const TRAINING_IMAGES = 3000;
/** Of the digits that it was not trained on, those that both are judged by. */
export const HELD_OUT_IMAGES = 500;
export const STEPS_BETWEEN_EVALUATIONS = 20;
