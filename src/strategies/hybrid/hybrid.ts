import {
  type BatchRequest,
  type ComponentLoss,
  checkRequest,
  type DistillationBatch,
} from '../../call/batch.js';
import { GradientSink } from '../../call/gradient.js';
import { learn, type Parameter } from '../../call/parameter.js';
import {
  DistillationStrategyBase,
  type IDistillationStrategy,
  NOTHING,
  type StrategyOptions,
  sharesBase,
} from '../../call/strategy.js';
import { checkSameShape } from '../../core/checks.js';
import {
  checkBoolean,
  checkChoice,
  checkLoss,
  checkOptions,
  refuse,
  throwOverflow,
  throwType,
} from '../../core/errors.js';
import type { Labels } from '../../core/labels.js';
import { checkMatrix, type Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { checkWeights, type WeightRule } from '../../core/weights.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import {
  isList,
  type LayerOutputs,
  type LayerwiseCall,
  type LayerwiseOptions,
  type LayerwiseResult,
  layerOf,
  layerRequest,
  type ReadPair,
  type TeacherLayerOutputs,
} from './layers.js';
import { checkEntries, copyEntry, type WeightedStrategy } from './weights.js';

export interface HybridDistillationOptions extends StrategyOptions {
  /**
   * What is asked of the weights. `'sum-to-one'` (default): each in [0, 1], together 1 ± 1e-6. `'normalize'`: finite,
   * ≥ 0, divided by their sum. `'free'`: finite, ≥ 0.
   */
  readonly weights?: WeightRule;
}

/**
 * A weighted sum of strategies:
 *
 *     loss = Σ weight · loss of the child,   gradient = Σ weight · gradient of the child
 *
 * `computeLoss`, `computeGradient` and `computeLossAndGradient` give every child the same pair of matrices;
 * {@link computeLayerwise} gives each the pair of layers that its entry is bound to. Children that are given no temperature
 * or alpha of their own take those that the hybrid is given, at each call: nothing is changed in them, so that a strategy can
 * be part of several hybrids. Hybrids nest, and a strategy that only implements {@link IDistillationStrategy} is welcome
 * (it keeps its own temperature, and has to honour `mask` and `normalizer` itself).
 *
 * - arguments: what the children take. A child of weight 0 is not evaluated.
 *
 * Returns what the sum gives; `components` tell the loss of each entry, and add up to `loss`.
 *
 * Throws `DistillationError`: EMPTY (no strategies), WEIGHT_SUM, OUT_OF_RANGE (a weight), LAYER (a bound entry outside
 * `computeLayerwise`, a layer that is not there), and what the children throw. `TypeError` for what is no strategy.
 *
 * The weights multiply losses of very different size: a squared difference of attention probabilities is at most
 * 2 / keys, and mostly far less than a response loss. Look at the components before trusting 0.4 / 0.3 / 0.3.
 *
 * After `HybridDistillationStrategy` of AiDotNet (C#), whose signature, defaults and weight check it keeps; there the
 * temperature and alpha of the hybrid are never read, and attention and feature terms see the output alone.
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
    const entries = checkEntries(this.name, strategies);
    const values = entries.map(({ weight }) => weight);
    const argumentOf = (i: number) => `strategies[${i}].weight`;
    const sum = checkWeights(this.name, values, weights, argumentOf, "or choose weights: 'free'");
    const divisor = weights === 'normalize' ? sum : 1;
    this.#entries = entries.map((entry) => copyEntry(entry, divisor));
  }

  override get name(): string {
    return 'HybridDistillationStrategy';
  }

  /** The strategies with their weights, `'normalize'`d ones as divided; copies of the entries passed. */
  getStrategies(): readonly WeightedStrategy<T>[] {
    return [...this.#entries];
  }

  /** What the children learn beside the student. */
  override parameters(): readonly Parameter<T>[] {
    const all = this.#entries.flatMap(({ strategy }) =>
      sharesBase(strategy) ? strategy.parameters() : [],
    );
    return [...new Set(all)];
  }

  /**
   * The same sum, with each entry on its own pair of layers: response, attention and feature terms each see what
   * they are about. An entry that is a hybrid and bound to no layer routes its own entries.
   *
   * @param studentLayers - what the student put out, by layer name; an entry without a layer reads `output`
   * @param teacherLayers - the same of the teacher
   * @param labels - one label a row of the layers whose strategies read labels. Where other layers have other rows,
   *   `IGNORE_INDEX` cannot be carried over: give those a mask each
   * @throws {DistillationError} LAYER where a layer is missing; whatever the strategies throw
   */
  computeLayerwise(
    studentLayers: LayerOutputs<T>,
    teacherLayers: TeacherLayerOutputs<T>,
    labels?: Labels<T>,
    options: LayerwiseOptions = {},
  ): LayerwiseResult<T> {
    const operation = `${this.name}.computeLayerwise`;
    const layers = { studentLayers, teacherLayers };
    for (const [argument, value] of Object.entries(layers)) {
      if (typeof value !== 'object' || value === null) {
        throwType(operation, argument, 'be an object of matrices by layer name', value);
      }
    }
    checkOptions(operation, 'options', options, ['mask', 'normalizer', 'accumulate']);
    const { accumulate = false } = options;
    checkBoolean(operation, 'accumulate', accumulate);
    this.#checkByLayer(operation, studentLayers, options);
    const gradients = this.#zeroGradients(operation, studentLayers);
    const said = this.say(NOTHING);
    const call = { operation, ...layers, labels, options, gradients, said };
    const sum = () => this.#sumLayers(call, 1);
    const result = learn(operation, this.parameters(), accumulate, sum);
    return { ...result, gradients };
  }

  /** @internal The pairs of layers that the entries read, those of nested hybrids included. */
  layerPairs(): ReadPair[] {
    return this.#entries.flatMap(({ strategy, layer }) => {
      if (layer === undefined && strategy instanceof HybridDistillationStrategy) {
        return strategy.layerPairs();
      }
      const mayReadLabels = !sharesBase(strategy) || strategy.usesLabels;
      const [student, teacher] = [layerOf(layer, 'student'), layerOf(layer, 'teacher')];
      return [{ student, teacher, mayReadLabels }];
    });
  }

  /** The layers of the student that the entries read. */
  #studentLayers(): string[] {
    return [...new Set(this.layerPairs().map(({ student }) => student))];
  }

  override get usesLabels(): boolean {
    return this.#entries.some(({ strategy }) => readsLabels(strategy));
  }

  /** Every check is a child's, except that a bound entry has no layers here. */
  protected override validate({ operation }: DistillationBatch<T, SparseTargets<T>>): void {
    if (!this.#readsLayers()) return;
    const expected = 'get the layers they are bound to';
    const hint = 'call computeLayerwise';
    refuse('LAYER', operation, 'strategies', expected, 'one matrix of each side', undefined, hint);
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
    const { components, normalizer, operation } = batch;
    const loss = this.#sum(operation, components, ({ strategy, weight }, name) => {
      const request = { ...batch, operation: `${operation} → ${name}` };
      return evaluateEntry(strategy, request, gradient?.times(normalizer * weight));
    });
    return loss * normalizer;
  }

  /** The weighted sum itself. */
  #sum(
    operation: string,
    components: ComponentLoss[],
    evaluate: (entry: WeightedStrategy<T>, name: string) => { loss: number; count: number },
  ): number {
    let sum = 0;
    for (const entry of this.#entries) {
      const { weight } = entry;
      const name = nameOf(entry);
      const { loss, count } = weight === 0 ? { loss: 0, count: 0 } : evaluate(entry, name);
      const weighted = weight * loss;
      components.push({ name, weight, loss, weighted, count });
      sum += weighted;
    }
    if (!Number.isFinite(sum)) throwOverflow(operation, sum);
    return sum;
  }

  /** The sum with each entry on its layers; `scale` is what the hybrid counts for in whatever is around it. */
  #sumLayers(
    call: LayerwiseCall<T>,
    scale: number,
  ): { loss: number; components: readonly ComponentLoss[] } {
    const components: ComponentLoss[] = [];
    const loss = this.#sum(call.operation, components, ({ strategy, layer, weight }, name) => {
      const operation = `${call.operation} → ${name}`;
      const inherited = { ...call, said: this.say(call.said), operation };
      if (layer === undefined && strategy instanceof HybridDistillationStrategy) {
        const inner = strategy.#sumLayers(inherited, scale * weight);
        return { loss: inner.loss, count: Math.max(...inner.components.map(({ count }) => count)) };
      }
      const request = layerRequest(inherited, layer, readsLabels(strategy));
      const gradient = call.gradients[layerOf(layer, 'student')];
      const sink = gradient && new GradientSink(gradient, scale * weight);
      return evaluateEntry(strategy, request, sink);
    });
    return { loss, components };
  }

  #readsLayers(): boolean {
    return this.#entries.some(
      ({ strategy, layer }) =>
        layer !== undefined ||
        (strategy instanceof HybridDistillationStrategy && strategy.#readsLayers()),
    );
  }

  #zeroGradients(operation: string, studentLayers: LayerOutputs<T>): Record<string, Matrix<T>> {
    const layers = this.#studentLayers()
      .filter((name) => Object.hasOwn(studentLayers, name)) // an error only if an entry of weight > 0 reads it
      .map((name) => {
        const matrix = studentLayers[name]!;
        checkMatrix(operation, `studentLayers.${name}`, matrix);
        return [name, matrix.zerosLike()] as const;
      });
    return Object.fromEntries(layers);
  }

  /** A mask or normalizer by layer names layers that are read; one number for all needs equal rows. */
  #checkByLayer(
    operation: string,
    studentLayers: LayerOutputs<T>,
    { mask, normalizer }: LayerwiseOptions,
  ): void {
    const names = this.#studentLayers();
    if (mask !== undefined && !isList(mask)) checkOptions(operation, 'mask', mask, names);
    if (typeof normalizer === 'object') checkOptions(operation, 'normalizer', normalizer, names);
    if (typeof normalizer !== 'number') return;
    const present = names.filter((name) => Object.hasOwn(studentLayers, name));
    const rows = present.map((name) => studentLayers[name]?.rows);
    const different = rows.find((count) => count !== rows[0]);
    if (different === undefined) return;
    refuse(
      'LAYER',
      operation,
      'normalizer',
      'be given by layer where layers differ in rows',
      `${normalizer} for ${rows[0]} and ${different} rows`,
      undefined,
      'pass { [layer]: denominator }',
    );
  }
}

/** The loss of one strategy; its gradient goes to the sink. */
function evaluateEntry<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  request: BatchRequest<T>,
  gradient: GradientSink<T> | undefined,
): { loss: number; count: number } {
  if (sharesBase(strategy)) return strategy.contribute(request, gradient);
  const rows = checkRequest(request, false);
  const { operation, student, labels, mask } = request;
  const teacher = request.teacher as Matrix<T>; // as was checked
  const normalizer = request.normalizer ?? Math.max(rows.length, 1);
  const options = { normalizer, ...(mask && { mask }) };
  const loss = checkLoss(operation, strategy.computeLoss(student, teacher, labels, options));
  if (gradient) {
    const own = strategy.computeGradient(student, teacher, labels, options);
    checkSameShape(operation, 'gradient', own, student);
    for (const row of rows) gradient.add(row, own.data, row * own.columns);
    gradient.check(operation);
  }
  return { loss, count: rows.length };
}

function nameOf<T extends FloatArray>({ name, strategy }: WeightedStrategy<T>): string {
  return (
    name ??
    ('name' in strategy ? String(strategy.name) : (strategy.constructor?.name ?? 'strategy'))
  );
}

function readsLabels<T extends FloatArray>(strategy: IDistillationStrategy<T>): boolean {
  return sharesBase(strategy) && strategy.usesLabels;
}
