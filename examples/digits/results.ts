import type { ComponentLoss } from 'knowledge-distillation';
import { summarize } from '../shared/statistics.js';
import type { Settings } from './settings.js';

export interface CurvePoint {
  readonly step: number;
  readonly accuracy: number;
}

/** A component of the loss, averaged over the last steps of the training. */
export type ComponentSummary = Pick<ComponentLoss, 'name' | 'weight' | 'loss' | 'weighted'>;

/** The result of one student and seed on the held-out images. */
export interface Run {
  readonly seed: number;
  readonly parameters: number;
  readonly accuracy: number;
  /** Fraction of images in which student and teacher choose the same class. */
  readonly agreement: number;
  readonly curve: readonly CurvePoint[];
  readonly components: readonly ComponentSummary[];
}

interface MethodResult {
  readonly method: string;
  readonly runs: readonly Run[];
}

export interface Results {
  readonly settings: Settings;
  readonly teacher: { readonly parameters: number; readonly accuracy: number };
  readonly students: readonly MethodResult[];
}

/** Averages each component over several steps or runs. */
export function averageComponents(
  samples: readonly (readonly ComponentSummary[])[],
): ComponentSummary[] {
  const first = samples[0] ?? [];
  return first.map(({ name, weight }, index) => ({
    name,
    weight,
    loss: summarize(samples.map((sample) => sample[index]!.loss)).mean,
    weighted: summarize(samples.map((sample) => sample[index]!.weighted)).mean,
  }));
}
