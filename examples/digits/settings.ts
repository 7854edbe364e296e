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
  /**
   * Images of each batch that are drawn from the labelled ones; the others are drawn from all
   * images.
   */
  readonly labelledPerBatch: number;
  /**
   * Each method trains one student per seed. The first seed also splits the digits and initialises
   * the teacher.
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
    // The numbers of heads and tokens are the teacher's, so that attention maps match row by row.
    // The features are narrower.
    student: {
      model: { layers: 2, width: 16, heads: 2, hiddenWidth: 32 },
      training: { steps: quick ? 200 : 700, learningRate: 0.012, weightDecay: 0.05 },
    },
  };
}
