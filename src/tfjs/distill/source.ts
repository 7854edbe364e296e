import type { ByLayer, LabelTensor, RowsTensor, TeacherTensor } from '../../tensors/evaluation.js';
import type { Tensor } from '../tensorflow.js';
import type { Held } from './held.js';
import { countSamples, Rows, type SampleLabels, type SampleTensors } from './rows.js';
import { type Targets, type Teacher, type TeacherContext, targetsOf } from './teacher.js';

/** What a student learns from, or is judged by. */
export interface SampleOptions<T extends Tensor, D extends SampleTensors<T>> {
  /**
   * The inputs: a tensor whose first dimension is that of the samples, or several tensors, in a
   * list or by name.
   */
  readonly data: D;
  /**
   * A `tf.LayersModel`, a function of a batch, or what the teacher put out for all samples, maybe
   * by layer.
   */
  readonly teacher: Teacher<T, D>;
  /**
   * For each sample a class, in an array or an int32 tensor, or a distribution, in a tensor or a
   * matrix. `UNLABELED` and `IGNORE_INDEX` are classes, too. A tensor [samples, length] has a label
   * for each token.
   */
  readonly labels?: SampleLabels<T> | undefined;
  /**
   * For each sample 0 or 1, in an array or a tensor, for all layers or by layer of the student; 0
   * leaves the sample out.
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
  /** Gives a batch, whose tensors are held. */
  take(samples: Int32Array, held: Held<T>): Promise<Batch<T, D>>;
}

/** @param place - what the arguments are part of, as messages say it: `'validation.'` */
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
  const targets: Targets<T, D> = targetsOf(context, argument('teacher'), options.teacher, rows);
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
