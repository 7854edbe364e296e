import * as library from '../../src/index.js';

/**
 * The names of the strategies that users can make; not those of the base classes that they can
 * extend.
 */
export function exportedStrategies(): string[] {
  const { DistillationStrategyBase } = library;
  return Object.entries(library)
    .filter(
      ([name, value]) =>
        typeof value === 'function' &&
        value.prototype instanceof DistillationStrategyBase &&
        !name.endsWith('Base'),
    )
    .map(([name]) => name)
    .sort();
}

/** The strategy of a file of golden values. */
export function strategyOf(fixture: string): string {
  return `${fixture[0]!.toUpperCase()}${fixture.slice(1)}DistillationStrategy`;
}

/**
 * Whose loss a kernel computes, however small it is; others have only products of matrices that are
 * larger than here.
 */
export const WITH_KERNELS: readonly string[] = [
  'ResponseDistillationStrategy',
  'AlphaBetaDistillationStrategy',
  'FeatureDistillationStrategy',
  'PatientDistillationStrategy',
  'FactorTransferDistillationStrategy',
  'MarginReLUDistillationStrategy',
  'ActivationBoundaryDistillationStrategy',
  'MarginMSEDistillationStrategy',
  'RankingDistillationStrategy',
  'AttentionDistillationStrategy',
  'AttentionTransferDistillationStrategy',
  'SelfAttentionRelationDistillationStrategy',
  'SimilarityDistributionDistillationStrategy',
  'HybridDistillationStrategy',
];
