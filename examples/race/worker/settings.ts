import { chooseSettings, type Settings } from '../../digits/settings.js';

/** Settings of the demo, which trains the teacher. */
export const SETTINGS: Settings = chooseSettings(false, 1);

/** Number of steps after which a race pauses. */
export const LAP: number = SETTINGS.student.training.steps;

export const STEPS_BETWEEN_EVALUATIONS = 20;

/** The learning rate falls to this part in the first lap, and stays there in later laps. */
export const LEARNING_RATE_FLOOR = 0.05;
