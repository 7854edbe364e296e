import { seedsFrom } from '../shared/random.js';
import type { TrainingSettings } from './optimizer.js';
import type { TransformerConfig } from './transformer.js';

interface ModelSettings {
  readonly model: TransformerConfig;
  readonly training: TrainingSettings;
}

export interface Settings {
  readonly heldOut: number;
  readonly labelledPerClass: number;
  readonly batch: number;
  /** Of each batch, the images drawn from the labelled ones; the rest is drawn from all. */
  readonly labelledPerBatch: number;
  /**
   * One student of each kind for each seed; the first also splits the digits and starts the
   * teacher.
   */
  readonly seeds: readonly number[];
  readonly teacher: ModelSettings;
  readonly student: ModelSettings;
}

export function chooseSettings(quick: boolean, seed: number): Settings {
  return {
    heldOut: 2000,
    labelledPerClass: 30,
    batch: 64,
    labelledPerBatch: 16,
    seeds: seedsFrom(seed, quick),
    teacher: {
      model: { layers: 2, width: 40, heads: 2, hiddenWidth: 80 },
      training: { steps: quick ? 300 : 1200, learningRate: 0.006, weightDecay: 0.1 },
    },
    // Heads and tokens are the teacher's, so that attention maps match row by row; the features are
    // narrower.
    student: {
      model: { layers: 2, width: 16, heads: 2, hiddenWidth: 32 },
      training: { steps: quick ? 200 : 700, learningRate: 0.012, weightDecay: 0.05 },
    },
  };
}
