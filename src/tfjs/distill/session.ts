import type { IDistillationStrategy } from '../../call/options.js';
import type { ReadPair } from '../../strategies/hybrid/layers.js';
import { OUTPUT, own } from '../../strategies/hybrid/layers.js';
import { isHybrid, labelUse } from '../../strategies/hybrid/nested.js';
import {
  type ByLayer,
  byLayer,
  type Call,
  isForAllLayers,
  type LayerwiseCall,
  type Rest,
} from '../../tensors/evaluation.js';
import { type Answer, type Bridge, copiesOf } from '../bridge.js';
import { TensorFlowInputs } from '../inputs.js';
import type { Optimizer, Tensor, TrainingTensorFlow, Variable } from '../tensorflow.js';
import { Held } from './held.js';
import { type Logs, logsOf, type Means } from './history.js';
import { addMetrics } from './metrics.js';
import { withSeed } from './order.js';
import type { SampleTensors } from './rows.js';
import type { Batch, Source } from './source.js';
import type { Learner } from './student.js';

/**
 * Backends that have their values in the memory of the thread: reading them is no wait, and saves a
 * second pass.
 */
const IN_MEMORY: readonly string[] = ['cpu', 'wasm', 'tensorflow'];

/** Where the cost stands among gradients by variable. */
const COST = 'the cost';

/** The pairs of layers that a strategy reads. */
export function pairsOf(strategy: IDistillationStrategy): readonly ReadPair[] {
  return isHybrid(strategy)
    ? strategy.layerPairs()
    : [{ student: OUTPUT, teacher: OUTPUT, labels: labelUse(strategy) }];
}

/** What a student is trained by. */
interface Parts<T extends Tensor, S extends T, V extends T & Variable, D extends SampleTensors<T>> {
  readonly tf: TrainingTensorFlow<T, S, V>;
  readonly bridge: Bridge<T, S, V>;
  readonly strategy: IDistillationStrategy;
  readonly learner: Learner<T, V, D>;
  readonly optimizer: Optimizer<T>;
  readonly seed: number;
}

/** A student under training, a batch at a time. */
export interface Learning<T extends Tensor, D extends SampleTensors<T>> {
  /**
   * Takes a step, and returns what the batch came to.
   *
   * @param places - what is random in the step depends on the seed and these numbers alone
   */
  step(source: Source<T, D>, samples: Int32Array, places: readonly number[]): Promise<Logs>;
  /** Adds what a batch says of the student, which does not learn from it. */
  judge(source: Source<T, D>, samples: Int32Array, means: Means): Promise<void>;
  /** Writes what was learned into the parameters of the strategy. */
  writeBack(): Promise<void>;
}

/** Trains a student by a strategy. No tensor is left behind, also where something throws. */
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
    const held = new Held<T>();
    try {
      const batch = await source.take(samples, held);
      const forward = () =>
        withSeed(seed, places, () =>
          this.#student(learner.forward(batch.data, { training: true })),
        );
      const ask = await this.#asking(forward, batch);
      let answer: Answer | undefined;
      const variables = [...learner.variables, ...bridge.variables];
      const gradients = this.#differentiate(variables, () => {
        const asked = ask();
        answer = asked.answer;
        const penalties = learner.penalties();
        return penalties.reduce<T>((sum, penalty) => tf.add(sum, penalty), asked.cost) as S;
      });
      for (const gradient of Object.values(gradients)) held.add(gradient);
      optimizer.applyGradients(variables.map(({ name }) => ({ name, tensor: gradients[name]! })));
      const loss = (await gradients[COST]!.data())[0]!;
      return logsOf(loss, answer!.components);
    } finally {
      held.dispose();
    }
  }

  async judge(source: Source<T, D>, samples: Int32Array, means: Means): Promise<void> {
    const { tf, bridge, learner } = this.#parts;
    const held = new Held<T>();
    try {
      const batch = await source.take(samples, held);
      let outputs: ByLayer<T> = {};
      const copies = tf.tidy(() => {
        outputs = learner.forward(batch.data, { training: false });
        return copiesOf(tf, outputs);
      });
      for (const copy of Object.values(copies)) held.add(copy);
      const layers = { ...outputs, ...copies };
      const inputs = new TensorFlowInputs(bridge.operation);
      const ask = bridge.ask(this.#call(this.#student(layers), batch), inputs);
      const judged = this.#judged(layers, batch, inputs);
      await inputs.readAll();
      const { loss, components } = ask();
      for (const [name, value] of Object.entries(logsOf(loss, components))) {
        means.add(name, value, samples.length);
      }
      if (judged) addMetrics(bridge.operation, means, judged());
    } finally {
      held.dispose();
    }
  }

  async writeBack(): Promise<void> {
    await this.#parts.bridge.writeBack();
  }

  /**
   * Asks the strategy: at once, or as the student runs, where its values can be read in the midst
   * of a gradient.
   */
  async #asking(
    forward: () => T | ByLayer<T>,
    batch: Batch<T, D>,
  ): Promise<() => { answer: Answer; cost: S }> {
    const { bridge, learner } = this.#parts;
    if (this.#isInMemory) {
      return () => {
        const outputs = forward();
        const answer = bridge.answer(this.#call(outputs, batch));
        return { answer, cost: bridge.differentiable(answer, byLayer(bridge.operation, outputs)) };
      };
    }
    const rest = this.#rest(batch);
    const { answer, cost } = await learner.undoing(() => bridge.rehearse(forward, ...rest));
    return () => ({ answer, cost: cost() });
  }

  /**
   * The gradients of a cost by variable, and the cost. If a function throws within a gradient,
   * TensorFlow.js leaves behind what its tape has kept. Here, the gradient comes to its end first.
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

  /** The layers of a student as the strategy takes them. */
  #student(layers: ByLayer<T>): T | ByLayer<T> {
    return isHybrid(this.#parts.strategy) ? layers : layers[OUTPUT]!;
  }

  #call(student: T | ByLayer<T>, batch: Batch<T, D>): Call<T> | LayerwiseCall<T> {
    return [student, ...this.#rest(batch)] as unknown as Call<T> | LayerwiseCall<T>;
  }

  #rest({ targets, labels, mask }: Batch<T, D>): Rest<Call<T>> | Rest<LayerwiseCall<T>> {
    const target = isHybrid(this.#parts.strategy) ? targets : targets[OUTPUT]!;
    return [target, labels, { mask }] as Rest<Call<T>> | Rest<LayerwiseCall<T>>;
  }

  /**
   * Adds what metrics compare, if an entry of the strategy reads labels: a row of its layers has a
   * number for each class.
   */
  #judged(
    layers: ByLayer<T>,
    { targets, labels, mask }: Batch<T, D>,
    inputs: TensorFlowInputs,
  ): (() => Parameters<typeof addMetrics>[2]) | undefined {
    const pair = pairsOf(this.#parts.strategy).find((other) => other.labels === 'reads');
    if (pair === undefined) return undefined;
    const output = layers[pair.student]!;
    const oneMask = mask === undefined || isForAllLayers(mask) ? mask : own(mask, pair.student);
    const read = {
      student: inputs.output('student', output),
      teacher: inputs.teacher('teacher', targets[pair.teacher]!, [output]),
      labels: inputs.labels(labels, [output]),
      mask: oneMask === undefined ? undefined : inputs.rowInput('mask', oneMask, [output]),
    };
    return () => ({
      student: read.student(),
      teacher: read.teacher(),
      labels: read.labels(),
      mask: read.mask?.(),
    });
  }
}
