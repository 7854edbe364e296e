import { float64, Matrix } from 'knowledge-distillation';
import { likelihoods } from '../../../../bumps.js';

// The two distributions that a visitor drags: logits, and the probabilities that they have at T.

export const CLASSES = ['dog', 'wolf', 'fox', 'cat', 'car', 'bus'] as const;

export interface Sides {
  readonly teacher: readonly number[];
  readonly student: readonly number[];
}

/** Pictures to begin with. */
export const PRESETS: Readonly<Record<string, Sides>> = {
  'Confident teacher': {
    teacher: [6, 2.5, 1.5, 0, -5, -5],
    student: [1.2, 0.6, -0.4, 0.8, -0.9, -1.3],
  },
  'Two modes': {
    teacher: [3.5, -1, -2, -2.5, 3, -1],
    student: [0.4, 0.9, 0.6, 0.2, -0.7, -1.4],
  },
  Equal: {
    teacher: [6, 2.5, 1.5, 0, -5, -5],
    student: [6, 2.5, 1.5, 0, -5, -5],
  },
  'Flat teacher': {
    teacher: [0.3, 0.2, 0.1, 0, -0.3, -0.3],
    student: [3, 1, 0, -0.5, -1.5, -2],
  },
  'Wrong student': {
    teacher: [4, 2, 1, 0, -3.5, -3.5],
    student: [-2, -1, -0.5, 0, 4, -0.5],
  },
};

/** A matrix of one row. */
export function rowOf(values: readonly number[]): Matrix<Float64Array> {
  return Matrix.fromRows([values], float64);
}

/** The softmax of the logits at a temperature. */
export function probabilities(logits: readonly number[], temperature: number): number[] {
  return likelihoods(rowOf(logits), temperature);
}

/** A hand can make a probability as small as this, or as close to 1. */
const SMALLEST = 0.001;
/** A class that loses its probability to others keeps e^−9 of the largest. */
const WIDEST = 9;

/** Logits have two decimals, so that an address can hold them. */
function rounded(logit: number): number {
  return Math.round(100 * logit) / 100;
}

/**
 * The logits with which one class has a probability at a temperature. The other classes keep their
 * proportions. The mean stays where it is, because a softmax sees differences only.
 */
export function withProbability(
  logits: readonly number[],
  index: number,
  probability: number,
  temperature: number,
): number[] {
  const wanted = Math.min(1 - SMALLEST, Math.max(SMALLEST, probability));
  const others = logits.filter((_, other) => other !== index);
  const largest = Math.max(...others);
  const total = others.reduce((sum, each) => sum + Math.exp((each - largest) / temperature), 0);
  const logOdds = Math.log(wanted / (1 - wanted));
  const moved = [...logits];
  moved[index] = largest + temperature * (logOdds + Math.log(total));
  const lowest = Math.max(...moved) - WIDEST * temperature;
  return withMean(
    moved.map((each) => Math.max(each, lowest)),
    meanOf(logits),
  );
}

function withMean(logits: readonly number[], mean: number): number[] {
  const shift = mean - meanOf(logits);
  return logits.map((each) => rounded(each + shift));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}
