import {
  CenteredKernelAlignmentDistillationStrategy,
  CorrelationCongruenceDistillationStrategy,
  type DistillationStrategyBase,
  type FloatArray,
  ProbabilisticTransferDistillationStrategy,
  RelationalDistillationStrategy,
  SimilarityDistributionDistillationStrategy,
  SimilarityPreservingDistillationStrategy,
} from '../../src/index.js';

/**
 * The losses of pairs of rows that multiply the difference of student and teacher where the two are
 * close.
 */
export const pairLosses: readonly (readonly [
  string,
  () => DistillationStrategyBase<FloatArray>,
])[] = [
  ['similarities', () => new SimilarityPreservingDistillationStrategy()],
  ['distances', () => new RelationalDistillationStrategy({ angleWeight: 0 })],
  ['alignments', () => new CenteredKernelAlignmentDistillationStrategy()],
  ['neighbours', () => new ProbabilisticTransferDistillationStrategy()],
  ['distributions', () => new SimilarityDistributionDistillationStrategy()],
  ['products', () => new CorrelationCongruenceDistillationStrategy({ form: 'bilinear' })],
  ['gaussians', () => new CorrelationCongruenceDistillationStrategy()],
];
