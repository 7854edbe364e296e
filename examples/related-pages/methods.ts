import {
  ContrastiveDistillationStrategy,
  type DistillationStrategyBase,
  SimilarityDistributionDistillationStrategy,
} from 'knowledge-distillation';

/** One way to make a student. */
export interface Method {
  readonly name: string;
  /** Initial word vectors: from the ridge regression, or random. */
  readonly start: 'ridge' | 'random';
  /** Training after the start; undefined if there is none. */
  readonly lessons?: {
    readonly createStrategy: () => DistillationStrategyBase;
    /**
     * Embeddings of the teacher for the strategy: complete, or along the main directions, which
     * gives them the student's width.
     */
    readonly teacher: 'whole' | 'main directions';
    readonly steps: number;
    readonly learningRate: number;
  };
}

const similarities = {
  createStrategy: () =>
    new SimilarityDistributionDistillationStrategy({ similarityTemperature: 0.05 }),
  teacher: 'whole',
} as const;

export const METHODS: readonly Method[] = [
  { name: 'ridge', start: 'ridge' },
  {
    name: 'ridge, then SimilarityDistribution',
    start: 'ridge',
    lessons: { ...similarities, steps: 80, learningRate: 0.0003 },
  },
  {
    name: 'random start, then SimilarityDistribution',
    start: 'random',
    lessons: { ...similarities, steps: 80, learningRate: 0.005 },
  },
  {
    name: 'ridge, then Contrastive',
    start: 'ridge',
    lessons: {
      createStrategy: () => new ContrastiveDistillationStrategy(),
      teacher: 'main directions',
      steps: 80,
      learningRate: 0.0003,
    },
  },
];
