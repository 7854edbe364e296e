import type { ByLayer, LabelTensor, RowsTensor, TeacherTensor } from '../../tensors/evaluation.js';
import type { Tensor } from '../tensorflow.js';
import type { BatchTensors } from './batchTensors.js';
import { countSamples, Rows, type SampleLabels, type SampleTensors } from './rows.js';
import { type Targets, type Teacher, type TeacherContext, targetsOf } from './teacher.js';

/** Samples on which a student is trained or evaluated. */
export interface SampleOptions<T extends Tensor, D extends SampleTensors<T>> {
  /**
   * The inputs: a tensor whose first dimension is the samples, or several tensors in a list or by
   * name.
   */
  readonly data: D;
  /**
   * A `tf.LayersModel`, a function of a batch, or stored outputs of the teacher for all samples,
   * for one layer or by layer. It may be left out for a strategy that learns from labels alone:
   * `CrossEntropyDistillationStrategy`.
   */
  readonly teacher?: Teacher<T, D> | undefined;
  /**
   * For each sample a class (in an array or an int32 tensor) or a distribution (in a tensor or a
   * matrix). `UNLABELED` and `IGNORE_INDEX` are allowed as classes. A tensor of shape [samples,
   * length] has a label for each token.
   *
   * @defaultValue no labels
   */
  readonly labels?: SampleLabels<T> | undefined;
  /**
   * For each sample 0 or 1, in an array or a tensor, for all layers or by layer of the student; 0
   * excludes the sample.
   *
   * @defaultValue no sample is excluded
   */
  readonly mask?: RowsTensor<T> | ByLayer<RowsTensor<T>> | undefined;
}

/** The rows of some samples. */
export interface Batch<T extends Tensor, D extends SampleTensors<T>> {
  readonly data: D;
  readonly targets: ByLayer<TeacherTensor<T>>;
  readonly labels: LabelTensor<T> | undefined;
  readonly mask: RowsTensor<T> | ByLayer<RowsTensor<T>> | undefined;
}

/** Samples with their teacher. */
export interface Source<T extends Tensor, D extends SampleTensors<T>> {
  readonly samples: number;
  /** Returns a batch. Its tensors are added to `held`, to be disposed together. */
  take(samples: Int32Array, held: BatchTensors<T>): Promise<Batch<T, D>>;
}

/**
 * Makes a source of batches.
 *
 * @param place - prefix of the names of arguments in messages, such as `'validation.'`
 */
export function sourceOf<T extends Tensor, D extends SampleTensors<T>>(
  context: TeacherContext<T>,
  place: string,
  options: SampleOptions<T, D>,
): Source<T, D> {
  const { operation, tf } = context;
  const argument = (name: keyof SampleOptions<T, D>) => `${place}${name}`;
  const samples = countSamples<T>(operation, argument('data'), options.data);
  const rows = new Rows<T>(operation, samples, tf.gather);
  const data = rows.data(argument('data'), options.data);
  const { teacher } = options;
  const targets: Targets<T, D> =
    teacher === undefined ? () => ({}) : targetsOf(context, argument('teacher'), teacher, rows);
  const labels =
    options.labels === undefined ? undefined : rows.labels(argument('labels'), options.labels);
  const mask = options.mask === undefined ? undefined : rows.mask(argument('mask'), options.mask);
  return {
    samples,
    take: async (chosen, held) => {
      const batch = data(chosen, held);
      return {
        data: batch,
        labels: labels?.(chosen, held),
        mask: mask?.(chosen, held),
        targets: await targets(batch, chosen, held),
      };
    },
  };
}
