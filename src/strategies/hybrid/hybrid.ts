import type {
  BatchRequest,
  ComponentLoss,
  DistillationBatch,
  Overrides,
} from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import { type CountedLoss, NO_OVERRIDES, type StrategyOptions } from '../../call/options.js';
import type { HeldMatrix } from '../../call/output.js';
import { type Parameter, ParameterSums } from '../../call/parameter.js';
import { refuseTemperatures } from '../../call/rowOptions.js';
import { sharesBase } from '../../call/sharesBase.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import {
  checkBoolean,
  checkChoice,
  checkOptions,
  refuse,
  throwOverflow,
  throwType,
} from '../../core/errors.js';
import type { Labels } from '../../core/labels.js';
import type { FloatArray } from '../../core/numeric.js';
import { checkWeights, type WeightRule } from '../../core/weights.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { evaluateEntry } from './entry.js';
import type {
  LayerOutputs,
  LayerwiseOptions,
  LayerwiseResult,
  ReadPair,
  TeacherLayerOutputs,
} from './layers.js';
import { LayerwiseCall, layerOf } from './layerwise.js';
import { isHybrid, type LayerwisePart, labelUse, nameOf, readsLayers } from './nested.js';
import { divideWeight, readEntries, type WeightedStrategy } from './weights.js';

export interface HybridDistillationOptions extends StrategyOptions {
  /**
   * What is asked of the weights. `'sum-to-one'` (default): each in [0, 1], together 1 ± 1e-6.
   * `'normalize'`: finite, ≥ 0, divided by their sum. `'free'`: finite, ≥ 0.
   */
  readonly weights?: WeightRule | undefined;
}

const LAYERWISE_OPTIONS = [
  'mask',
  'rowWeights',
  'temperatures',
  'normalizer',
  'gradients',
  'accumulate',
  'rowLosses',
];

/** An entry of weight 0. */
const NOT_EVALUATED = { loss: 0, count: 0 };

/**
 * A weighted sum of strategies:
 *
 *     loss = Σ weight · loss of the child,   gradient = Σ weight · gradient of the child
 *
 * `computeLoss`, `computeGradient` and `computeLossAndGradient` give every child the same pair of
 * matrices; {@link computeLayerwise} gives each the pair of layers that its entry is bound to.
 * Children that are given no temperature or alpha of their own take those that the hybrid is given,
 * at each call: nothing is changed in them, so that a strategy can be part of several hybrids.
 * Hybrids nest, and a strategy that only implements {@link IDistillationStrategy} is welcome (it
 * keeps its own temperature, and has to honour `mask` and `normalizer` itself).
 *
 * - arguments: what the children take. A child of weight 0 is not evaluated.
 *
 * Returns what the sum gives; `components` tell the loss of each entry, and add up to `loss`.
 *
 * Throws `DistillationError`: EMPTY (no strategies), WEIGHT_SUM, OUT_OF_RANGE (a weight), LAYER (a
 * bound entry outside `computeLayerwise`, a layer that is not there), and what the children throw.
 * `TypeError` for what is no strategy.
 *
 * The weights multiply losses of very different size: a squared difference of attention
 * probabilities is at most 2 / keys, and mostly far less than a response loss. Look at the
 * components before trusting 0.4 / 0.3 / 0.3.
 *
 * After `HybridDistillationStrategy` of AiDotNet (C#), whose signature, defaults and weight check
 * it keeps; there the temperature and alpha of the hybrid are never read, and attention and feature
 * terms see the output alone.
 *
 * @example
 * import {
 *   AttentionDistillationStrategy, FeatureDistillationStrategy, HybridDistillationStrategy,
 *   LinearProjection, Matrix, ResponseDistillationStrategy,
 * } from 'knowledge-distillation';
 *
 * const hybrid = new HybridDistillationStrategy([
 *   { strategy: new ResponseDistillationStrategy(), weight: 0.4 },
 *   { strategy: new AttentionDistillationStrategy({ match: 'kl' }), weight: 0.3, layer: 'attention' },
 *   { strategy: new FeatureDistillationStrategy({ projection: new LinearProjection(2, 3) }), weight: 0.3, layer: 'hidden' },
 * ], { temperature: 3, alpha: 0.3 });
 * const attention = Matrix.fromRows([[0.5, 0.5], [0.2, 0.8]]);
 * const { loss, gradients, components } = hybrid.computeLayerwise(
 *   { output: Matrix.fromRows([[1, 2, 0]]), attention, hidden: Matrix.fromRows([[1, -1]]) },
 *   { output: Matrix.fromRows([[0, 4, 1]]), attention, hidden: Matrix.fromRows([[1, 0, 2]]) },
 *   Int32Array.of(1),
 * );
 */
export class HybridDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T, SparseTargets<T>> {
  readonly #entries: readonly WeightedStrategy<T>[];

  constructor(strategies: readonly WeightedStrategy<T>[], options: HybridDistillationOptions = {}) {
    super(options, ['weights']);
    const { weights = 'sum-to-one' } = options;
    checkChoice(this.name, 'weights', weights, ['sum-to-one', 'normalize', 'free']);
    const entries = readEntries(this.name, strategies);
    const values = entries.map(({ weight }) => weight);
    const argumentOf = (i: number) => `strategies[${i}].weight`;
    const sum = checkWeights(this.name, values, weights, argumentOf, "or choose weights: 'free'");
    const divisor = weights === 'normalize' ? sum : 1;
    this.#entries = entries.map((entry) => divideWeight(entry, divisor));
  }

  override get name(): string {
    return 'HybridDistillationStrategy';
  }

  /**
   * The strategies with their weights, `'normalize'`d ones as divided; copies of the entries
   * passed.
   */
  getStrategies(): readonly WeightedStrategy<T>[] {
    return [...this.#entries];
  }

  /** @internal The temperature and alpha that were set explicitly. */
  overrides(): Overrides {
    return this.resolve(NO_OVERRIDES);
  }

  /** What the children learn beside the student. */
  override parameters(): readonly Parameter<T>[] {
    const all = this.#entries.flatMap(({ strategy }) =>
      sharesBase(strategy) ? strategy.parameters() : [],
    );
    return [...new Set(all)];
  }

  /** @internal Those of the children. */
  override heldMatrices(): readonly HeldMatrix<T>[] {
    return this.#entries.flatMap(({ strategy }) =>
      sharesBase(strategy) ? strategy.heldMatrices() : [],
    );
  }

  /**
   * The same sum, with each entry on its own pair of layers: response, attention and feature terms
   * each see what they are about. An entry that is a hybrid and bound to no layer routes its own
   * entries.
   *
   * @param studentLayers - what the student put out, by layer name; an entry without a layer reads
   * `output`
   * @param teacherLayers - the same of the teacher
   * @param labels - one label a row of the layers whose strategies read labels. Where other layers
   * have other rows, `IGNORE_INDEX` cannot be carried over: give those a mask each
   * @throws {DistillationError} LAYER where a layer is missing; whatever the strategies throw
   */
  computeLayerwise(
    studentLayers: LayerOutputs<T>,
    teacherLayers: TeacherLayerOutputs<T>,
    labels?: Labels<T>,
    options: LayerwiseOptions<T> = {},
  ): LayerwiseResult<T> {
    const operation = `${this.name}.computeLayerwise`;
    for (const [argument, value] of Object.entries({ studentLayers, teacherLayers })) {
      if (typeof value !== 'object' || value === null) {
        throwType(operation, argument, 'be an object of matrices by layer name', value);
      }
    }
    checkOptions(operation, 'options', options, LAYERWISE_OPTIONS);
    const { accumulate = false, ...read } = options; // each option once: what is checked is what is used
    checkBoolean(operation, 'accumulate', accumulate);
    if (!this.usesTemperatures) refuseTemperatures(operation, read.temperatures);
    const learned = this.parameters();
    const given = { operation, studentLayers, teacherLayers, labels, options: read };
    const held = this.heldMatrices();
    const call = new LayerwiseCall(given, this.layerPairs(), learned, held, accumulate);
    const sums = new ParameterSums(learned);
    try {
      const part = { call, operation, inherited: NO_OVERRIDES, scale: 1 };
      const { loss, components } = this.contributeLayerwise(part);
      call.finish();
      sums.check(operation, accumulate);
      sums.commitGradients();
      call.commit();
      return { loss, gradients: call.gradients(), components };
    } finally {
      sums.close();
    }
  }

  /** @internal The pairs of layers that the entries read, those of nested hybrids included. */
  layerPairs(): ReadPair[] {
    return this.#entries.flatMap(({ strategy, layer }) => {
      if (layer === undefined && isHybrid(strategy)) return strategy.layerPairs();
      const [student, teacher] = [layerOf(layer, 'student'), layerOf(layer, 'teacher')];
      return [{ student, teacher, labels: labelUse(strategy) }];
    });
  }

  override get usesLabels(): boolean {
    return this.#entries.some(({ strategy }) => labelUse(strategy) === 'reads');
  }

  override get usesTemperatures(): boolean {
    return this.#entries.some(({ strategy }) => !sharesBase(strategy) || strategy.usesTemperatures);
  }

  /**
   * True, so that calls may pass row options, and `computeThroughHead` takes hybrids by their type.
   * The loss is a sum over rows only if that of every child is: a call looks at the children.
   */
  override get isSumOverRows(): true {
    return true;
  }

  /** @internal Those of the children, too. */
  override checkRequest(request: BatchRequest<T>): void {
    super.checkRequest(request);
    const inherited = this.resolve(request.inherited);
    for (const entry of this.#entries) {
      const { strategy, weight } = entry;
      if (weight === 0 || !sharesBase(strategy)) continue;
      const operation = `${request.operation} → ${nameOf(entry)}`;
      strategy.checkRequest({ ...request, operation, inherited });
    }
  }

  /** Every check is a child's, except that a bound entry has no layers here. */
  protected override validate({ operation }: DistillationBatch<T, SparseTargets<T>>): void {
    if (!readsLayers(this.#entries)) return;
    const expected = 'get the layers they are bound to';
    const hint = 'call computeLayerwise';
    refuse('LAYER', operation, 'strategies', expected, 'one matrix of each side', { hint });
  }

  /** Its children say whether they take it. */
  protected override get takesSparse(): boolean {
    return true;
  }

  /** A child whose loss is not finite has thrown already. */
  protected override explain(): void {}

  protected override evaluate(
    batch: DistillationBatch<T, SparseTargets<T>>,
    gradient?: GradientSink<T>,
  ): number {
    const { components, operation } = batch;
    return this.#sum(operation, components, ({ strategy, weight }, name) => {
      const rowLosses = batch.rowLosses?.times(weight);
      const request = { ...batch, operation: `${operation} → ${name}`, rowLosses };
      return evaluateEntry(strategy, request, gradient?.times(weight));
    });
  }

  /** @internal The sum with each entry on its layers. */
  contributeLayerwise({ call, operation, inherited, scale }: LayerwisePart<T>): {
    readonly loss: number;
    readonly components: readonly ComponentLoss[];
  } {
    const components: ComponentLoss[] = [];
    const overrides = this.resolve(inherited);
    const loss = this.#sum(operation, components, ({ strategy, layer, weight }, name) => {
      const part = `${operation} → ${name}`;
      if (layer === undefined && isHybrid(strategy)) {
        const nested = { call, operation: part, inherited: overrides, scale: scale * weight };
        const inner = strategy.contributeLayerwise(nested);
        return { loss: inner.loss, count: Math.max(...inner.components.map(({ count }) => count)) };
      }
      const read = call.request(part, layer, labelUse(strategy), overrides);
      const request = { ...read, rowLosses: read.rowLosses?.times(scale * weight) };
      return evaluateEntry(strategy, request, call.sink(layer, scale * weight));
    });
    return { loss, components };
  }

  /** The weighted sum itself. */
  #sum(
    operation: string,
    components: ComponentLoss[],
    evaluate: (entry: WeightedStrategy<T>, name: string) => CountedLoss,
  ): number {
    let sum = 0;
    for (const entry of this.#entries) {
      const { weight } = entry;
      const name = nameOf(entry);
      const { loss, count } = weight === 0 ? NOT_EVALUATED : evaluate(entry, name);
      const weighted = weight * loss;
      components.push({ name, weight, loss, weighted, count });
      sum += weighted;
    }
    if (!Number.isFinite(sum)) throwOverflow(operation, sum);
    return sum;
  }
}
