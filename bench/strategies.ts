import * as kd from 'knowledge-distillation';
import type { Strategy } from './library.js';
import type { PyTorchLoss } from './pytorch.js';

/** A strategy and the function of losses.py that computes the same loss. */
export interface Entry extends PyTorchLoss {
  readonly name: string;
  readonly strategy: Strategy;
  readonly hasLabels: boolean;
}

/** Options of both sides. */
function entry<const Options extends object>(
  name: string,
  loss: string,
  Class: new (options: Options) => Strategy,
  options: Options,
  hasLabels = false,
): Entry {
  return { name, loss, strategy: new Class(options), options, hasLabels };
}

/** Makes the entry of a loss of logits and labels. */
function response<const Options extends object>(
  name: string,
  loss: string,
  Class: new (options: Options) => Strategy,
  options?: Options,
): Entry {
  return entry(name, loss, Class, { ...BLEND, ...options } as Options, true);
}

const BLEND = { temperature: 3, alpha: 0.3 };
/** Feature maps of 40 channels with 5 × 5 positions: 1000 columns. */
const MAPS = { channels: 40 };

/** The strategies of the tables. To add a strategy, add a line here and a function to losses.py. */
export const STRATEGIES: readonly Entry[] = [
  response('Response', 'response', kd.ResponseDistillationStrategy),
  response('ReverseKL', 'reverse_kl', kd.ReverseKLDistillationStrategy),
  response('JensenShannon', 'jensen_shannon', kd.JensenShannonDistillationStrategy, { beta: 0.5 }),
  response('SkewKL', 'skew_kl', kd.SkewKLDistillationStrategy, { lambda: 0.1 }),
  response('SkewReverseKL', 'skew_reverse_kl', kd.SkewReverseKLDistillationStrategy, {
    lambda: 0.1,
  }),
  response('AlphaBeta', 'alpha_beta', kd.AlphaBetaDistillationStrategy, {
    teacherPower: 0.2,
    studentPower: 0.7,
  }),
  response('TotalVariation', 'total_variation', kd.TotalVariationDistillationStrategy),
  response('CrossEntropy', 'labels_alone', kd.CrossEntropyDistillationStrategy),
  response('LogitMSE', 'logit_mse', kd.LogitMSEDistillationStrategy),
  response('Decoupled', 'decoupled', kd.DecoupledDistillationStrategy, {
    targetWeight: 1,
    nonTargetWeight: 8,
  }),
  response('Normalized', 'normalized', kd.NormalizedDistillationStrategy, {
    targetWeight: 1,
    nonTargetWeight: 1.5,
  }),
  response('WeightedSoftLabel', 'weighted_soft_label', kd.WeightedSoftLabelDistillationStrategy),
  response('Binary', 'binary', kd.BinaryDistillationStrategy),
  response('UniversalLogit', 'universal_logit', kd.UniversalLogitDistillationStrategy),
  response('Correlation', 'correlation', kd.CorrelationDistillationStrategy, {
    interWeight: 1,
    intraWeight: 1,
  }),
  response('Response, standardized', 'response', kd.ResponseDistillationStrategy, {
    standardizeLogits: true,
  }),
  entry("Attention 'kl' of scores", 'attention_scores', kd.AttentionDistillationStrategy, {
    match: 'kl',
    input: 'scores',
  }),
  entry('AttentionTransfer', 'attention_transfer', kd.AttentionTransferDistillationStrategy, MAPS),
  entry("Feature 'mse'", 'feature_mse', kd.FeatureDistillationStrategy, { metric: 'mse' }),
  entry("Feature 'l2'", 'feature_l2', kd.FeatureDistillationStrategy, { metric: 'l2' }),
  entry("Feature 'cosine'", 'feature_cosine', kd.FeatureDistillationStrategy, {
    metric: 'cosine',
  }),
  entry('Patient', 'patient', kd.PatientDistillationStrategy, {}),
  entry(
    'ProbabilisticTransfer',
    'probabilistic_transfer',
    kd.ProbabilisticTransferDistillationStrategy,
    {},
  ),
  entry(
    'SimilarityDistribution',
    'similarity_distribution',
    kd.SimilarityDistributionDistillationStrategy,
    { similarityTemperature: 0.05 },
  ),
  entry(
    'SimilarityPreserving',
    'similarity_preserving',
    kd.SimilarityPreservingDistillationStrategy,
    {},
  ),
  entry('Relational, distances', 'relational_distances', kd.RelationalDistillationStrategy, {
    distanceWeight: 1,
    angleWeight: 0,
  }),
  entry(
    'CorrelationCongruence',
    'correlation_congruence',
    kd.CorrelationCongruenceDistillationStrategy,
    { gamma: 0.4, order: 2 },
  ),
  entry('Contrastive', 'contrastive', kd.ContrastiveDistillationStrategy, {
    contrastTemperature: 0.07,
  }),
  entry(
    'CenteredKernelAlignment',
    'centered_kernel_alignment',
    kd.CenteredKernelAlignmentDistillationStrategy,
    {},
  ),
  entry('NeuronSelectivity', 'neuron_selectivity', kd.NeuronSelectivityDistillationStrategy, MAPS),
];

/**
 * The losses of candidates' scores. Their rows are short, and some compare all pairs of candidates.
 */
export const RANKINGS: readonly Entry[] = [
  entry('MarginMSE', 'margin_mse', kd.MarginMSEDistillationStrategy, {}),
  entry('Ranking', 'ranking', kd.RankingDistillationStrategy, { pairLoss: 'logistic' }),
  entry("Ranking 'hinge'", 'ranking', kd.RankingDistillationStrategy, {
    pairLoss: 'hinge',
    margin: 1,
  }),
];
