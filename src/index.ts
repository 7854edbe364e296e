/**
 * The losses of knowledge distillation, with their exact gradients: a strategy takes a {@link Matrix} of the student's outputs
 * and one of the teacher's, and returns a loss with its derivative.
 *
 * @module knowledge-distillation
 */

export { MatrixArena } from './arena.js';
export type { ComponentLoss, DistillationBatch, TeacherOutput } from './batch.js';
export { type CausalRows, type CausalRowsOptions, causalRows } from './causal.js';
export type { RuledOutBy } from './diagnosis.js';
export { DistillationError, type DistillationErrorCode, type ErrorDetails } from './errors.js';
export type { GradientSink } from './gradient.js';
export { type KernelInfo, type KernelName, kernelInfo, selectKernel } from './kernels/choice.js';
export { IGNORE_INDEX, type Labels, UNLABELED } from './labels.js';
export {
  averageHeads,
  concatenateColumns,
  type MapSize,
  poolPositions,
  type RowMap,
  splitColumns,
} from './maps.js';
export { Matrix, type RuntimeTensor, type TensorLike } from './matrix.js';
export { type FloatArray, float32, float64, type NumericTrait } from './numeric.js';
export { Parameter } from './parameter.js';
export { SparseTargets, type SparseTargetsOptions } from './sparse.js';
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
export { type EnsembleOptions, ensembleTeachers } from './strategies/ensemble.js';
export {
  type ActivationBoundaryDistillationOptions,
  ActivationBoundaryDistillationStrategy,
} from './strategies/feature/activationBoundary.js';
export {
  type BatchNormStatistics,
  batchNormMargins,
} from './strategies/feature/batchNormMargins.js';
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
export type {
  LayerOutputs,
  LayerwiseOptions,
  LayerwiseResult,
  TeacherLayerOutputs,
} from './strategies/hybrid/layers.js';
export type { WeightedStrategy } from './strategies/hybrid/weights.js';
export {
  type HybridDistillationOptions,
  HybridDistillationStrategy,
} from './strategies/hybrid.js';
export { LinearProjection, type LinearProjectionOptions } from './strategies/linearProjection.js';
export type { ProjectedDistillationOptions } from './strategies/projection.js';
export { CenteredKernelAlignmentDistillationStrategy } from './strategies/relation/centeredKernelAlignment.js';
export {
  type ContrastiveDistillationOptions,
  ContrastiveDistillationStrategy,
} from './strategies/relation/contrastive.js';
export {
  ContrastiveMemory,
  type ContrastiveMemoryOptions,
  type ContrastiveMemoryState,
  type LogNormalizers,
} from './strategies/relation/contrastiveMemory.js';
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
export { SimilarityPreservingDistillationStrategy } from './strategies/relation/similarityPreserving.js';
export {
  ResponseDistillationStrategyBase,
  type ResponseOptions,
} from './strategies/response/base.js';
export { BinaryDistillationStrategy } from './strategies/response/binary.js';
export {
  type CorrelationDistillationOptions,
  CorrelationDistillationStrategy,
} from './strategies/response/correlation.js';
export {
  type DecoupledDistillationOptions,
  DecoupledDistillationStrategy,
} from './strategies/response/decoupled.js';
export {
  type DistributionRow,
  DivergenceDistillationStrategyBase,
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
export type { SoftLoss, SoftRow } from './strategies/response/softRows.js';
export type { SparseResponseOptions } from './strategies/response/sparseDivergence.js';
export { TotalVariationDistillationStrategy } from './strategies/response/totalVariation.js';
export { UniversalLogitDistillationStrategy } from './strategies/response/universalLogit.js';
export { WeightedSoftLabelDistillationStrategy } from './strategies/response/weightedSoftLabel.js';
export {
  DistillationStrategyBase,
  type EvaluationOptions,
  type IDistillationStrategy,
  type LossAndGradient,
  type StrategyOptions,
} from './strategy.js';
