import {
  ContrastiveDistillationStrategy,
  type DistillationStrategyBase,
  SimilarityDistributionDistillationStrategy,
} from 'knowledge-distillation';

/** One way to make a student. */
export interface Method {
  readonly name: string;
  /** Where the word vectors begin: with the ridge regression, or anywhere. */
  readonly start: 'ridge' | 'random';
  /** What they are taught by after that, if by anything. */
  readonly lessons?: {
    readonly createStrategy: () => DistillationStrategyBase;
    /**
     * Which embeddings of the teacher the strategy is given: whole, or as wide as the student's.
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
