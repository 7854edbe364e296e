/**
 * The losses of knowledge distillation, with their exact gradients: a strategy takes a
 * {@link Matrix} of the student's outputs and one of the teacher's, and returns a loss with its
 * derivative.
 *
 * @module knowledge-distillation
 */

export type { ComponentLoss, DistillationBatch, TeacherOutput } from './call/batch.js';
export type { RuledOutBy } from './call/diagnosis.js';
export type { GradientSink } from './call/gradient.js';
export type {
  EvaluationOptions,
  IDistillationStrategy,
  LossAndGradient,
  StrategyOptions,
} from './call/options.js';
export { Parameter } from './call/parameter.js';
export type { RowLossSink } from './call/rowOptions.js';
export { meanOverRows, type RowLoss } from './call/rows.js';
export { DistillationStrategyBase } from './call/strategy.js';
export type { DistillationErrorCode, ErrorDetails } from './core/errorDetails.js';
export { DistillationError } from './core/errors.js';
export type { MatrixJSON } from './core/json.js';
export { IGNORE_INDEX, type Labels, UNLABELED } from './core/labels.js';
export { Matrix } from './core/matrix.js';
export { type FloatArray, float32, float64, type NumericTrait } from './core/numeric.js';
export type { RuntimeTensor, TensorLike } from './core/tensor.js';
export { MatrixArena, type ThreadOptions } from './engine/arena.js';
export { type KernelInfo, type KernelName, kernelInfo, selectKernel } from './engine/choice.js';
export { computeThroughHead } from './head/computeThroughHead.js';
export type { HeadLogits } from './head/head.js';
export type {
  HeadGradients,
  RowwiseStrategy,
  ThroughHeadOptions,
  ThroughHeadResult,
} from './head/options.js';
export {
  type BatchNormStatistics,
  batchNormMargins,
} from './layers/batchNormMargins.js';
export { ContrastiveMemory } from './layers/contrastiveMemory.js';
export { LinearProjection, type LinearProjectionOptions } from './layers/linearProjection.js';
export {
  averageHeads,
  concatenateColumns,
  type MapSize,
  poolPositions,
  type RowMap,
  splitColumns,
} from './layers/maps.js';
export type {
  ContrastiveMemoryOptions,
  ContrastiveMemoryState,
  LogNormalizers,
} from './layers/memoryState.js';
export type { ProjectedDistillationOptions } from './layers/projection.js';
export {
  type CompareOutputsOptions,
  compareOutputs,
  type OutputComparison,
} from './metrics/compareOutputs.js';
export {
  type AttentionDistillationOptions,
  AttentionDistillationStrategy,
} from './strategies/attention/attention.js';
export {
  type AttentionTransferDistillationOptions,
  AttentionTransferDistillationStrategy,
} from './strategies/attention/attentionTransfer.js';
export {
  type SelfAttentionRelationDistillationOptions,
  SelfAttentionRelationDistillationStrategy,
} from './strategies/attention/selfAttentionRelation.js';
export {
  type ActivationBoundaryDistillationOptions,
  ActivationBoundaryDistillationStrategy,
} from './strategies/feature/activationBoundary.js';
export {
  type FactorTransferDistillationOptions,
  FactorTransferDistillationStrategy,
} from './strategies/feature/factorTransfer.js';
export {
  type FeatureDistillationOptions,
  FeatureDistillationStrategy,
} from './strategies/feature/feature.js';
export {
  type FlowDistillationOptions,
  FlowDistillationStrategy,
} from './strategies/feature/flow.js';
export {
  type MarginReLUDistillationOptions,
  MarginReLUDistillationStrategy,
} from './strategies/feature/marginReLU.js';
export {
  type NeuronSelectivityDistillationOptions,
  NeuronSelectivityDistillationStrategy,
} from './strategies/feature/neuronSelectivity.js';
export { PatientDistillationStrategy } from './strategies/feature/patient.js';
export {
  type VariationalDistillationOptions,
  VariationalDistillationStrategy,
} from './strategies/feature/variational.js';
export {
  type BalanceOptions,
  balancedWeights,
  type HybridBatch,
} from './strategies/hybrid/balance.js';
export { HybridDistillationStrategy } from './strategies/hybrid/hybrid.js';
export type {
  LayerOutputs,
  LayerwiseOptions,
  LayerwiseResult,
  TeacherLayerOutputs,
} from './strategies/hybrid/layers.js';
export type { HybridDistillationOptions, WeightedStrategy } from './strategies/hybrid/weights.js';
export { MarginMSEDistillationStrategy } from './strategies/ranking/marginMSE.js';
export {
  type RankingDistillationOptions,
  RankingDistillationStrategy,
} from './strategies/ranking/ranking.js';
export { CenteredKernelAlignmentDistillationStrategy } from './strategies/relation/centeredKernelAlignment.js';
export {
  type ContrastiveDistillationOptions,
  ContrastiveDistillationStrategy,
} from './strategies/relation/contrastive.js';
export {
  type ContrastiveRepresentationDistillationOptions,
  ContrastiveRepresentationDistillationStrategy,
} from './strategies/relation/contrastiveRepresentation.js';
export {
  type CorrelationCongruenceDistillationOptions,
  CorrelationCongruenceDistillationStrategy,
} from './strategies/relation/correlationCongruence.js';
export { ProbabilisticTransferDistillationStrategy } from './strategies/relation/probabilisticTransfer.js';
export {
  type RelationalDistillationOptions,
  RelationalDistillationStrategy,
} from './strategies/relation/relational.js';
export {
  type SimilarityDistributionDistillationOptions,
  SimilarityDistributionDistillationStrategy,
} from './strategies/relation/similarityDistribution.js';
export { SimilarityPreservingDistillationStrategy } from './strategies/relation/similarityPreserving.js';
export type { DistributionRow, SoftLoss, SoftRow } from './strategies/response/_softRows.js';
export {
  type AlphaBetaDistillationOptions,
  AlphaBetaDistillationStrategy,
} from './strategies/response/alphaBeta.js';
export {
  ResponseDistillationStrategyBase,
  type ResponseOptions,
} from './strategies/response/base.js';
export { BinaryDistillationStrategy } from './strategies/response/binary.js';
export {
  type CorrelationDistillationOptions,
  CorrelationDistillationStrategy,
} from './strategies/response/correlation.js';
export { CrossEntropyDistillationStrategy } from './strategies/response/crossEntropy.js';
export {
  type DecoupledDistillationOptions,
  DecoupledDistillationStrategy,
} from './strategies/response/decoupled.js';
export {
  DivergenceDistillationStrategyBase,
  type DivergenceOptions,
} from './strategies/response/divergence.js';
export {
  type JensenShannonDistillationOptions,
  JensenShannonDistillationStrategy,
} from './strategies/response/jensenShannon.js';
export { LogitMSEDistillationStrategy } from './strategies/response/logitMSE.js';
export {
  type MultiLevelDistillationOptions,
  MultiLevelDistillationStrategy,
} from './strategies/response/multiLevel.js';
export {
  type NormalizedDistillationOptions,
  NormalizedDistillationStrategy,
} from './strategies/response/normalized.js';
export { ResponseDistillationStrategy } from './strategies/response/response.js';
export { ReverseKLDistillationStrategy } from './strategies/response/reverseKL.js';
export {
  type SkewKLDistillationOptions,
  SkewKLDistillationStrategy,
} from './strategies/response/skewKL.js';
export {
  type SkewReverseKLDistillationOptions,
  SkewReverseKLDistillationStrategy,
} from './strategies/response/skewReverseKL.js';
export { TotalVariationDistillationStrategy } from './strategies/response/totalVariation.js';
export { UniversalLogitDistillationStrategy } from './strategies/response/universalLogit.js';
export { WeightedSoftLabelDistillationStrategy } from './strategies/response/weightedSoftLabel.js';
export { loadState, type StrategyState, saveState } from './strategies/state.js';
export { type AdaptiveTemperaturesOptions, adaptiveTemperatures } from './teachers/adaptive.js';
export { updateAverage } from './teachers/average.js';
export { type CausalRows, type CausalRowsOptions, causalRows } from './teachers/causal.js';
export { type CurriculumOptions, curriculumWeights } from './teachers/curriculum.js';
export { type EnsembleOptions, ensembleTeachers } from './teachers/ensemble.js';
export type { ClassProbabilities, ProbabilityOptions } from './teachers/probabilities.js';
export type { SamplingOptions } from './teachers/sampling.js';
export {
  cosine,
  linear,
  piecewise,
  type Schedule,
  type ScheduleOptions,
} from './teachers/schedules.js';
export { SparseTargets } from './teachers/sparse.js';
export type { SparseTargetsOptions } from './teachers/sparseOptions.js';
export { type VirtualTeacherOptions, virtualTeacher } from './teachers/virtual.js';
