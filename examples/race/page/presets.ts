import type { Recipe } from '../worker/protocol.js';

export type PresetName =
  | 'Labels only'
  | 'The teacher’s answers'
  | 'Hinton 2015'
  | 'TinyBERT-like'
  | 'Attention only';

/** A recipe to start from. */
export interface Preset {
  readonly name: PresetName;
  readonly recipe: Recipe;
}

/** Cross-entropy with the labels, on the labelled images alone. */
export const LABELS_ONLY: Recipe = {
  images: 'labelled',
  weights: { response: 100, attention: 0, feature: 0 },
  temperature: 3,
  alpha: 1,
};

/** The teacher's answers for all images, and not a single label. */
export const TEACHERS_ANSWERS: Recipe = {
  images: 'all',
  weights: { response: 100, attention: 0, feature: 0 },
  temperature: 3,
  alpha: 0,
};

export const PRESETS: readonly Preset[] = [
  {
    name: 'Labels only',
    recipe: LABELS_ONLY,
  },
  {
    name: 'The teacher’s answers',
    recipe: TEACHERS_ANSWERS,
  },
  {
    // Hinton, Vinyals and Dean (2015), §2 and §3: temperatures of 2.5 to 4 suited their smallest
    // student best, and the labels got a considerably lower weight than the teacher.
    name: 'Hinton 2015',
    recipe: { ...TEACHERS_ANSWERS, temperature: 4, alpha: 0.1 },
  },
  {
    // The three parts of Jiao and others (2020), with the losses of this demo.
    name: 'TinyBERT-like',
    recipe: {
      ...TEACHERS_ANSWERS,
      weights: { response: 40, attention: 30, feature: 30 },
      alpha: 0.3,
    },
  },
  {
    name: 'Attention only',
    recipe: { ...TEACHERS_ANSWERS, weights: { response: 0, attention: 100, feature: 0 } },
  },
];
