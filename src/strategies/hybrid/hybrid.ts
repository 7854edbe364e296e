import type {
  BatchRequest,
  ComponentLoss,
  DistillationBatch,
  Overrides,
} from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import { NO_OVERRIDES } from '../../call/options.js';
import type { HeldMatrix } from '../../call/output.js';
import type { Parameter } from '../../call/parameter.js';
import { refuseTemperatures } from '../../call/rowOptions.js';
import { sharesBase } from '../../call/sharesBase.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkBoolean, checkChoice, checkOptions } from '../../core/errors.js';
import type { Labels } from '../../core/labels.js';
import type { FloatArray } from '../../core/numeric.js';
import { checkWeights } from '../../core/weights.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { evaluateEntry } from './entry.js';
import { evaluateLayerwise } from './evaluateLayerwise.js';
import {
  checkRecords,
  LAYERWISE_OPTIONS,
  type LayerOutputs,
  type LayerwiseOptions,
  type LayerwiseResult,
  type ReadPair,
  type TeacherLayerOutputs,
} from './layers.js';
import {
  isHybrid,
  type LayerwisePart,
  labelUse,
  layerPairsOf,
  nameOf,
  refuseBound,
  takesTemperatures,
} from './nested.js';
import { weightedSum } from './weightedSum.js';
import {
  checkEntryList,
  divideWeight,
  FREE_WEIGHTS,
  HYBRID,
  type HybridDistillationOptions,
  readEntries,
  type WeightedStrategy,
} from './weights.js';

/**
 * Sums the losses of several strategies, each with its own weight and on its own layer.
 *
 * ```math
 * L = Σ_k w_k L_k
 * ```
 *
 * Use it to match outputs, attention and hidden features of a model together.
 *
 * - **Entries.** A hybrid takes a list of entries `{ strategy, weight, layer, name }`. A strategy
 *   may be a hybrid itself, and may be part of several hybrids.
 * - **Weights.** By default the weights must be in [0, 1] and sum to 1. `weights: 'normalize'`
 *   divides them by their sum. `weights: 'free'` takes any weights ≥ 0. A strategy of weight 0 is
 *   not evaluated.
 * - **Layers.** {@link computeLayerwise} takes the outputs of both models by layer name, and gives
 *   each strategy the layer that its entry names (`'output'` if it names none). `computeLoss`,
 *   `computeGradient` and `computeLossAndGradient` give all strategies the same two matrices, and
 *   refuse entries that name a layer.
 * - **Temperature and alpha.** A strategy that was given a `temperature` or an `alpha` keeps it. A
 *   strategy that was given none inherits the hybrid's, and has its own default only if the hybrid
 *   was given none either. A nested hybrid inherits and passes on in the same way. The values are
 *   resolved at each call; no strategy is changed.
 * - **Components.** Results list each entry in `components`: its name, weight, loss and weighted
 *   loss. The weighted losses add up to the loss of the hybrid. Look at them before you trust
 *   0.4 / 0.3 / 0.3, because losses differ in size by powers of ten: a squared difference of
 *   attention probabilities is at most 2 / keys, and mostly far less than a response loss.
 *   {@link balancedWeights} finds weights at which each entry contributes a given share.
 *
 * A strategy that only implements {@link IDistillationStrategy} keeps its own temperature and
 * alpha, and has to honour `mask` and `normalizer` itself. Every strategy checks its own arguments.
 *
 * Returns the weighted sum; the gradient is the same weighted sum of the strategies' gradients, and
 * so are the gradients of `parameters()`. The hybrid is a sum over rows if all its strategies are.
 * Cost: the sum of its strategies' costs.
 *
 * @throws {DistillationError} `EMPTY` without an entry; `WEIGHT_SUM`; `OUT_OF_RANGE` for a weight;
 *   `LAYER` for an entry that names a layer outside `computeLayerwise`, and for a layer that is
 *   missing; and the errors of the strategies
 * @throws {TypeError} for an entry whose strategy lacks `computeLoss` or `computeGradient`
 * @differs AiDotNet: never reads the hybrid's temperature and alpha; attention and feature losses
 *   see the output alone. Signature, defaults and the check of the weights are the same.
 * @differs torchtune: its value is larger by the teacher's entropy; same gradient: its
 *   `SymmetricKLLoss` is `Response` × `sym_kd_ratio` + `ReverseKL` × the rest.
 *
 * @example
 * ```ts
 * import {
 *   AttentionDistillationStrategy,
 *   FeatureDistillationStrategy,
 *   HybridDistillationStrategy,
 *   LinearProjection,
 *   Matrix,
 *   ResponseDistillationStrategy,
 * } from 'knowledge-distillation';
 *
 * const attention = new AttentionDistillationStrategy({ match: 'kl' });
 * const feature = new FeatureDistillationStrategy({ projection: new LinearProjection(2, 3) });
 * const hybrid = new HybridDistillationStrategy(
 *   [
 *     { strategy: new ResponseDistillationStrategy(), weight: 0.4 },
 *     { strategy: attention, weight: 0.3, layer: 'attention' },
 *     { strategy: feature, weight: 0.3, layer: { student: 'hidden', teacher: 'hidden4' } },
 *   ],
 *   { temperature: 3, alpha: 0.3 },
 * );
 * const { loss, gradients, components } = hybrid.computeLayerwise(
 *   {
 *     output: Matrix.fromRows([[1, 2, 0]]),
 *     attention: Matrix.fromRows([[0.5, 0.5], [0.2, 0.8]]),
 *     hidden: Matrix.fromRows([[1, -1]]),
 *   },
 *   {
 *     output: Matrix.fromRows([[0, 4, 1]]),
 *     attention: Matrix.fromRows([[0.9, 0.1], [0.4, 0.6]]),
 *     hidden4: Matrix.fromRows([[1, 0, 2]]),
 *   },
 *   Int32Array.of(1), // the label of the only row of 'output'
 * );
 * console.log(loss.toFixed(4)); // 1.0053
 * console.log(components.map(({ weighted }) => weighted.toFixed(2))); // [ '0.24', '0.07', '0.69' ]
 * console.log(Object.keys(gradients)); // [ 'output', 'attention', 'hidden' ]
 * ```
 */
export class HybridDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T, SparseTargets<T>> {
  readonly #entries: readonly WeightedStrategy<T>[];

  /**
   * @param strategies - the entries, at least one
   * @param options - the rule for the weights; the temperature and alpha to inherit
   */
  constructor(strategies: readonly WeightedStrategy<T>[], options: HybridDistillationOptions = {}) {
    checkEntryList(HYBRID, strategies);
    super(options, ['weights']);
    const { weights = 'sum-to-one' } = options;
    checkChoice(this.name, 'weights', weights, ['sum-to-one', 'normalize', 'free']);
    const entries = readEntries(this.name, strategies);
    const values = entries.map(({ weight }) => weight);
    const argumentOf = (i: number) => `strategies[${i}].weight`;
    const sum = checkWeights(this.name, values, weights, argumentOf, FREE_WEIGHTS);
    const divisor = weights === 'normalize' ? sum : 1;
    this.#entries = entries.map((entry) => divideWeight(entry, divisor));
  }

  override get name(): string {
    return HYBRID;
  }

  /** Returns copies of the entries. With `'normalize'`, their weights sum to 1. */
  getStrategies(): readonly WeightedStrategy<T>[] {
    return [...this.#entries];
  }

  /** @internal The temperature and alpha that were set explicitly. */
  overrides(): Overrides {
    return this.resolve(NO_OVERRIDES);
  }

  /** Returns the parameters of all strategies, each once. */
  override parameters(): readonly Parameter<T>[] {
    const all = this.#entries.flatMap(({ strategy }) =>
      sharesBase(strategy) ? strategy.parameters() : [],
    );
    return [...new Set(all)];
  }

  /** @internal Returns the held matrices of all strategies. */
  override heldMatrices(): readonly HeldMatrix<T>[] {
    return this.#entries.flatMap(({ strategy }) =>
      sharesBase(strategy) ? strategy.heldMatrices() : [],
    );
  }

  /**
   * Computes the weighted sum with each strategy on its own pair of layers. An entry that is a
   * hybrid and names no layer routes its own entries.
   *
   * @param studentLayers - outputs of the student by layer name, any number of rows and columns
   *   that the strategies take
   * @param teacherLayers - outputs of the teacher by layer name; a layer may be sparse if the
   *   strategies that read it take {@link SparseTargets}
   * @param labels - one label for each row of the layers whose strategies read labels.
   *   `IGNORE_INDEX` cannot exclude rows of a layer with another number of rows: give such a layer
   *   a mask
   * @param options - masks, weights of rows, output buffers and more, for all layers or by layer
   * @returns the loss, the gradient of each student layer that is read, and the components
   * @throws {DistillationError} `LAYER` for a missing layer, and for a layer of the student that no
   *   entry reads; and the errors of the strategies
   */
  computeLayerwise(
    studentLayers: LayerOutputs<T>,
    teacherLayers: TeacherLayerOutputs<T>,
    labels?: Labels<T>,
    options: LayerwiseOptions<T> = {},
  ): LayerwiseResult<T> {
    const operation = `${this.name}.computeLayerwise`;
    checkRecords(operation, { studentLayers, teacherLayers });
    checkOptions(operation, 'options', options, LAYERWISE_OPTIONS);
    // Each option is read once, so that the value that was checked is the value in use.
    const { accumulate = false, ...read } = options;
    checkBoolean(operation, 'accumulate', accumulate);
    if (!this.usesTemperatures) refuseTemperatures(operation, read.temperatures);
    const given = { operation, studentLayers, teacherLayers, labels, options: read };
    return evaluateLayerwise(this, given, accumulate);
  }

  /** @internal The pairs of layers that the entries read, those of nested hybrids included. */
  layerPairs(): ReadPair[] {
    return layerPairsOf(this.#entries);
  }

  override get usesLabels(): boolean {
    return this.#entries.some(({ strategy }) => labelUse(strategy) === 'reads');
  }

  override get usesTemperatures(): boolean {
    return this.#entries.some(({ strategy }) => takesTemperatures(strategy));
  }

  /**
   * True, so that calls may pass row options and {@link computeThroughHead} accepts hybrids by
   * their type. The loss is a sum over rows only if the loss of every strategy is: each call checks
   * that.
   */
  override get isSumOverRows(): true {
    return true;
  }

  /** @internal Checks the request for every strategy, too. */
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

  /** Refuses entries that name a layer. The strategies make every other check. */
  protected override validate({ operation }: DistillationBatch<T, SparseTargets<T>>): void {
    refuseBound(operation, this.#entries);
  }

  /** @internal The strategies check the rows, because they know the columns that they take. */
  protected override checkRows(): void {}

  /** True: each strategy refuses a sparse teacher if it does not take one. */
  protected override get takesSparse(): boolean {
    return true;
  }

  /** Does nothing: a strategy whose loss is not finite has thrown before. */
  protected override explain(): void {}

  protected override evaluate(
    batch: DistillationBatch<T, SparseTargets<T>>,
    gradient?: GradientSink<T>,
  ): number {
    const { components, operation } = batch;
    return weightedSum(operation, this.#entries, components, ({ strategy, weight }, name) => {
      const rowLosses = batch.rowLosses?.times(weight);
      const request = { ...batch, operation: `${operation} → ${name}`, rowLosses };
      return evaluateEntry(strategy, request, gradient?.times(weight));
    });
  }

  /** @internal Computes the weighted sum within a layerwise call. */
  contributeLayerwise({ call, operation, inherited, scale }: LayerwisePart<T>): {
    readonly loss: number;
    readonly components: readonly ComponentLoss[];
  } {
    const components: ComponentLoss[] = [];
    const overrides = this.resolve(inherited);
    const loss = weightedSum(operation, this.#entries, components, (entry, name) => {
      const { strategy, layer, weight } = entry;
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
}
