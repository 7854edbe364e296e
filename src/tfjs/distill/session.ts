import type { IDistillationStrategy } from '../../call/options.js';
import { DistillationError, reworded } from '../../core/errors.js';
import { labelRows } from '../../core/labels.js';
import { type LabelledPair, OUTPUT, own } from '../../strategies/hybrid/layers.js';
import { isHybrid, labelUse } from '../../strategies/hybrid/nested.js';
import {
  type ByLayer,
  byLayer,
  type Call,
  isForAllLayers,
  type LabelTensor,
  type LayerwiseCall,
  type Rest,
} from '../../tensors/evaluation.js';
import { isTensor } from '../../tensors/tensor.js';
import { type Bridge, copiesOf, type StrategyResult } from '../bridge.js';
import { TensorFlowInputs } from '../inputs.js';
import type { Optimizer, Tensor, TrainingTensorFlow, Variable } from '../tensorflow.js';
import { BatchTensors } from './batchTensors.js';
import { type Logs, logsOf, type Means } from './history.js';
import { addMetrics } from './metrics.js';
import { withSeed } from './order.js';
import type { SampleTensors } from './rows.js';
import type { Batch, Source } from './source.js';
import type { Learner } from './student.js';

/**
 * Backends that hold their values in the memory of the thread. Reading them synchronously does not
 * wait, and saves a second forward pass.
 */
const IN_MEMORY: readonly string[] = ['cpu', 'wasm', 'tensorflow'];

/** The name of the cost in the record of the gradients by variable. */
const COST = 'the cost';

/** Returns the pairs of layers that a strategy reads. */
export function pairsOf(strategy: IDistillationStrategy): readonly LabelledPair[] {
  return isHybrid(strategy)
    ? strategy.layerPairs()
    : [{ student: OUTPUT, teacher: OUTPUT, labels: labelUse(strategy) }];
}

/** The parts of a session. */
interface Parts<T extends Tensor, S extends T, V extends T & Variable, D extends SampleTensors<T>> {
  readonly tf: TrainingTensorFlow<T, S, V>;
  readonly bridge: Bridge<T, S, V>;
  readonly strategy: IDistillationStrategy;
  readonly learner: Learner<T, V, D>;
  readonly optimizer: Optimizer<T>;
  readonly seed: number;
}

/** Trains a student, one batch at a time. */
export interface Learning<T extends Tensor, D extends SampleTensors<T>> {
  /**
   * Takes a step, and returns the loss of the batch and of its components.
   *
   * @param places - the random numbers of the step depend on the seed and these numbers only
   */
  step(source: Source<T, D>, samples: Int32Array, places: readonly number[]): Promise<Logs>;
  /** Evaluates the student on a batch without training it, and adds the results to the means. */
  validate(source: Source<T, D>, samples: Int32Array, means: Means): Promise<void>;
  /** Copies the learned values to the parameters of the strategy. */
  writeBack(): Promise<void>;
}

/** Trains a student by a strategy. All of its tensors are disposed, also after an error. */
export class Session<
  T extends Tensor,
  S extends T,
  V extends T & Variable,
  D extends SampleTensors<T>,
> implements Learning<T, D>
{
  readonly #parts: Parts<T, S, V, D>;
  readonly #isInMemory: boolean;

  constructor(parts: Parts<T, S, V, D>) {
    this.#parts = parts;
    this.#isInMemory = IN_MEMORY.includes(parts.tf.getBackend());
  }

  async step(source: Source<T, D>, samples: Int32Array, places: readonly number[]): Promise<Logs> {
    const { tf, bridge, learner, optimizer, seed } = this.#parts;
    const held = new BatchTensors<T>();
    let labels: Batch<T, D>['labels'];
    try {
      const batch = await source.take(samples, held);
      ({ labels } = batch);
      const forward = () =>
        withSeed(seed, places, () =>
          this.#student(learner.forward(batch.data, { training: true })),
        );
      const evaluate = await this.#prepareStep(forward, batch);
      let result: StrategyResult | undefined;
      const variables = [...learner.variables, ...bridge.variables];
      const gradients = this.#differentiate(variables, () => {
        const evaluated = evaluate();
        result = evaluated.result;
        const penalties = learner.penalties();
        return penalties.reduce<T>((sum, penalty) => tf.add(sum, penalty), evaluated.cost) as S;
      });
      for (const gradient of Object.values(gradients)) held.add(gradient);
      optimizer.applyGradients(variables.map(({ name }) => ({ name, tensor: gradients[name]! })));
      const loss = (await gradients[COST]!.data())[0]!;
      return logsOf(loss, result!.components);
    } catch (error) {
      throw inBatch(error, samples, labels);
    } finally {
      held.dispose();
    }
  }

  async validate(source: Source<T, D>, samples: Int32Array, means: Means): Promise<void> {
    const { tf, bridge, learner } = this.#parts;
    const held = new BatchTensors<T>();
    let labels: Batch<T, D>['labels'];
    try {
      const batch = await source.take(samples, held);
      ({ labels } = batch);
      let outputs: ByLayer<T> = {};
      const copies = tf.tidy(() => {
        outputs = learner.forward(batch.data, { training: false });
        return copiesOf(tf, outputs);
      });
      for (const copy of Object.values(copies)) held.add(copy);
      const layers = { ...outputs, ...copies };
      const inputs = new TensorFlowInputs(bridge.operation);
      const evaluate = bridge.prepare(this.#call(this.#student(layers), batch), inputs);
      const compared = this.#validationBatch(layers, batch, inputs);
      await inputs.readAll();
      const { loss, components } = evaluate();
      for (const [name, value] of Object.entries(logsOf(loss, components))) {
        means.add(name, value, samples.length);
      }
      if (compared) addMetrics(bridge.operation, means, compared());
    } catch (error) {
      throw inBatch(error, samples, labels);
    } finally {
      held.dispose();
    }
  }

  async writeBack(): Promise<void> {
    await this.#parts.bridge.writeBack();
  }

  /**
   * Returns a function that evaluates the strategy within a gradient. On backends that cannot read
   * values there, the strategy is evaluated before, on a first forward pass.
   */
  async #prepareStep(
    forward: () => T | ByLayer<T>,
    batch: Batch<T, D>,
  ): Promise<() => { result: StrategyResult; cost: S }> {
    const { bridge, learner } = this.#parts;
    if (this.#isInMemory) {
      return () => {
        const outputs = forward();
        const result = bridge.evaluate(this.#call(outputs, batch));
        return { result, cost: bridge.differentiable(result, byLayer(bridge.operation, outputs)) };
      };
    }
    const rest = this.#rest(batch);
    const { result, cost } = await learner.restoring(() => bridge.rehearse(forward, ...rest));
    return () => ({ result, cost: cost() });
  }

  /**
   * Returns the gradients of a cost by variable, and the cost. If a function throws within a
   * gradient, TensorFlow.js leaks the tensors that its tape holds. The error is therefore thrown
   * only after the gradient has ended.
   */
  #differentiate(variables: V[], cost: () => S): Record<string, T> {
    const { tf } = this.#parts;
    return tf.tidy(() => {
      let failure: { readonly error: unknown } | undefined;
      const { value, grads } = tf.variableGrads(() => {
        try {
          return cost();
        } catch (error) {
          failure = { error };
          const [first] = variables as [V];
          return tf.customGrad(() => ({ value: tf.scalar(0), gradFunc: () => [tf.clone(first)] }))(
            first,
          );
        }
      }, variables);
      if (failure) throw failure.error;
      return { ...grads, [COST]: value };
    });
  }

  /** Returns the layers of a student in the form that the strategy takes. */
  #student(layers: ByLayer<T>): T | ByLayer<T> {
    return isHybrid(this.#parts.strategy) ? layers : layers[OUTPUT]!;
  }

  #call(student: T | ByLayer<T>, batch: Batch<T, D>): Call<T> | LayerwiseCall<T> {
    return [student, ...this.#rest(batch)] as unknown as Call<T> | LayerwiseCall<T>;
  }

  #rest({ targets, labels, mask }: Batch<T, D>): Rest<Call<T>> | Rest<LayerwiseCall<T>> {
    const target = isHybrid(this.#parts.strategy) ? targets : targets[OUTPUT];
    return [target, labels, { mask }] as Rest<Call<T>> | Rest<LayerwiseCall<T>>;
  }

  /**
   * Adds the tensors that the metrics compare, if an entry of the strategy reads labels: its layers
   * have one column for each class.
   */
  #validationBatch(
    layers: ByLayer<T>,
    { targets, labels, mask }: Batch<T, D>,
    inputs: TensorFlowInputs,
  ): (() => Parameters<typeof addMetrics>[2]) | undefined {
    const pair = pairsOf(this.#parts.strategy).find((other) => other.labels === 'reads');
    if (pair === undefined) return undefined;
    const output = layers[pair.student]!;
    const target = targets[pair.teacher]; // undefined without a teacher
    const oneMask = mask === undefined || isForAllLayers(mask) ? mask : own(mask, pair.student);
    const read = {
      student: inputs.output('student', output),
      teacher: target && inputs.teacher('teacher', target, [output]),
      labels: inputs.labels(labels, [output]),
      mask: oneMask === undefined ? undefined : inputs.rowInput('mask', oneMask, [output]),
    };
    return () => ({
      student: read.student(),
      teacher: read.teacher?.(),
      labels: read.labels(),
      mask: read.mask?.(),
    });
  }
}

/** Adds to an error of a row that the row is one of a batch, and its sample where that is known. */
function inBatch<T extends Tensor>(
  error: unknown,
  samples: Int32Array,
  labels: LabelTensor<T> | undefined,
): unknown {
  if (!(error instanceof DistillationError) || error.row === undefined) return error;
  const { argument, row, hint } = error;
  const isOneEach = isTensor(labels)
    ? labels.shape.length === 1
    : labels && labelRows(labels) === samples.length;
  const sample = argument === 'labels' && isOneEach ? `sample ${samples[row]}` : 'not of the data';
  const place = `row ${row} is of the batch, ${sample}`;
  return reworded(error, { hint: hint === undefined ? place : `${hint}; ${place}` });
}
