import {
  AttentionDistillationStrategy,
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  LinearProjection,
  ResponseDistillationStrategy,
  type WeightedStrategy,
} from 'knowledge-distillation';

/** What determines the projection of one student's features. */
interface ProjectionSetting {
  readonly studentWidth: number;
  readonly teacherWidth: number;
  readonly seed: number;
}

/** One way to teach a student. */
export interface Method {
  readonly name: string;
  /** Whether it sees the labelled images alone. */
  readonly labelledOnly: boolean;
  /** Whether unlabelled images leave the output layer alone. */
  readonly labelledOutputOnly: boolean;
  readonly createStrategy: (setting: ProjectionSetting) => HybridDistillationStrategy;
}

const TEMPERATURE = 3;
/** Weight of the true label, where there is one; the other images have the teacher's answer alone. */
const ALPHA = 0.3;

export const METHODS: readonly Method[] = [
  {
    name: 'labels only',
    labelledOnly: true,
    labelledOutputOnly: true,
    createStrategy: () => new HybridDistillationStrategy([labels(1)]),
  },
  {
    name: 'response',
    labelledOnly: false,
    labelledOutputOnly: false,
    createStrategy: () => new HybridDistillationStrategy([response(1)]),
  },
  {
    // The teacher's inner layers say nothing about the student's head: the labelled images have to train it. The
    // weights are those of the hybrid below, with the labels in the place of the teacher's answers.
    name: 'labels + attention + feature',
    labelledOnly: false,
    labelledOutputOnly: true,
    createStrategy: (setting) =>
      new HybridDistillationStrategy([labels(0.4), attention(0.3), feature(0.3, setting)]),
  },
  {
    name: 'hybrid 40/30/30',
    labelledOnly: false,
    labelledOutputOnly: false,
    createStrategy: (setting) =>
      new HybridDistillationStrategy([response(0.4), attention(0.3), feature(0.3, setting)]),
  },
];

function labels(weight: number): WeightedStrategy {
  return { name: 'labels', strategy: new ResponseDistillationStrategy({ alpha: 1 }), weight };
}

function response(weight: number): WeightedStrategy {
  const strategy = new ResponseDistillationStrategy({ temperature: TEMPERATURE, alpha: ALPHA });
  return { name: 'response', strategy, weight };
}

/**
 * By divergence: the squared difference of probabilities is at most 2 / keys, mostly far less, and would not matter
 * beside the other terms.
 */
function attention(weight: number): WeightedStrategy {
  const strategy = new AttentionDistillationStrategy({ match: 'kl', input: 'scores' });
  return { name: 'attention', strategy, weight, layer: 'attention' };
}

function feature(weight: number, setting: ProjectionSetting): WeightedStrategy {
  const { studentWidth, teacherWidth, seed } = setting;
  const projection = new LinearProjection(studentWidth, teacherWidth, { seed });
  const strategy = new FeatureDistillationStrategy({ metric: 'mse', projection });
  return { name: 'feature', strategy, weight, layer: 'features' };
}
