import type { Recipe } from '../worker/protocol.js';

/** A recipe to start from. */
export interface Preset {
  readonly name: string;
  readonly recipe: Recipe;
  /** What to watch. */
  readonly watch: string;
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
  { name: 'Labels only', recipe: LABELS_ONLY, watch: '' },
  { name: 'The teacher’s answers', recipe: TEACHERS_ANSWERS, watch: '' },
  {
    name: 'Hinton 2015',
    recipe: { ...TEACHERS_ANSWERS, temperature: 4, alpha: 0.1 },
    watch: '',
  },
  {
    name: 'TinyBERT-like',
    recipe: {
      ...TEACHERS_ANSWERS,
      weights: { response: 40, attention: 30, feature: 30 },
      alpha: 0.3,
    },
    watch: '',
  },
  {
    name: 'Attention only',
    recipe: { ...TEACHERS_ANSWERS, weights: { response: 0, attention: 100, feature: 0 } },
    watch: '',
  },
];
