import { type HybridDistillationStrategy, LinearProjection, Matrix } from 'knowledge-distillation';
import { gatherRows } from '../shared/batches.js';
import type { HiddenLayerStudent } from '../shared/hiddenLayerStudent.js';
import { Random } from '../shared/random.js';
import { summarize } from '../shared/statistics.js';
import { type Lesson, optimise, type Pace } from '../shared/training.js';
import { createStudent, UNITS } from './student.js';

/** Snippets with the teacher's logits and hidden layer. */
export interface LayeredLesson extends Lesson {
  readonly teacherHidden: Float32Array;
}

/** One way to teach a student. */
export interface Method {
  readonly name: string;
  /** True if the strategy is given the labels. */
  readonly labels: boolean;
  /**
   * Creates the strategy, which may use the projection from the student's hidden layer to the
   * teacher's.
   */
  readonly createStrategy: (projection: LinearProjection) => HybridDistillationStrategy;
}

/**
 * Trains a student on the snippets `training`. For one seed, all students have the same initial
 * weights and see the same batches in the same order.
 */
export function teachStudent(
  { name, labels, createStrategy }: Method,
  { features, labels: classOf, teacherLogits, teacherHidden }: LayeredLesson,
  training: Int32Array,
  pace: Pace,
  seed: number,
): HiddenLayerStudent {
  const classes = teacherLogits.length / features.length;
  const width = teacherHidden.length / features.length;
  const hidden = standardize(teacherHidden, width, training);
  const student = createStudent(classes, new Random(seed, 'student'));
  const strategy = createStrategy(new LinearProjection(UNITS, width, { bias: true, seed }));
  const readsHidden = strategy.getStrategies().some(({ layer }) => layer === 'hidden');
  optimise(name, training, pace, seed, (indices) => {
    const rows = indices.length;
    const samples = Array.from(indices, (index) => features[index]!);
    const layers = student.computeLayers(samples);
    const { loss, gradients } = strategy.computeLayerwise(
      {
        output: new Matrix(layers.logits, rows, classes),
        ...(readsHidden && { hidden: new Matrix(layers.hidden, rows, UNITS) }),
      },
      {
        output: new Matrix(gatherRows(teacherLogits, classes, indices), rows, classes),
        hidden: new Matrix(gatherRows(hidden, width, indices), rows, width),
      },
      labels ? indices.map((index) => classOf[index]!) : undefined,
    );
    const gradient = student.backward(samples, gradients.output!.data, gradients.hidden?.data);
    const projection = strategy.parameters().map((parameter) => ({
      value: parameter.value.data,
      gradient: parameter.gradient.data,
    }));
    return { loss, parameters: [{ value: student.weights, gradient }, ...projection] };
  });
  return student;
}

/**
 * Standardizes each column by mean and deviation over the rows `indices`. A column that is constant
 * over these rows is only centred.
 */
function standardize(values: Float32Array, columns: number, indices: Int32Array): Float32Array {
  const moments = Array.from({ length: columns }, (_, column) =>
    summarize(Array.from(indices, (row) => values[row * columns + column]!)),
  );
  return values.map((value, i) => {
    const { mean, deviation } = moments[i % columns]!;
    return (value - mean) / (deviation || 1);
  });
}
