import type { TeacherOutput } from '../call/batch.js';
import { GradientSink } from '../call/gradient.js';
import { ParameterSums } from '../call/parameter.js';
import { DistillationError, moved } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { checkCall, checkOutputs } from './checks.js';
import { Chunks, type HeadCall, isHead } from './chunks.js';
import { HeadGradientOutputs } from './gradients.js';
import { explainHead, type HeadLogits } from './head.js';
import type { RowwiseStrategy, ThroughHeadOptions, ThroughHeadResult } from './options.js';

/** The loss of logits that never exist as a whole. */
export function computeThroughHead<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
>(
  strategy: RowwiseStrategy<T, Sparse>,
  student: HeadLogits<T>,
  teacher: Matrix<T> | Sparse | HeadLogits<T>,
  labels?: Labels<T>,
  options: ThroughHeadOptions<T> = {},
): ThroughHeadResult<T> {
  const operation = 'computeThroughHead';
  const given = teacher as TeacherOutput<T> | HeadLogits<T>;
  const call = checkCall(operation, strategy, student, given, labels, options);
  const { gradients, accumulate } = checkOutputs(call, strategy, options);
  const { inputs, learned, rowLosses } = call;
  const part = `${operation} → ${strategy.name}`;
  const chunks = new Chunks(call);
  for (const rows of chunks.rows()) {
    ofRows(call, rows, () => strategy.checkRequest(chunks.blank(rows, part)));
  }
  rowLosses?.fill(0);
  const outputs = new HeadGradientOutputs(student, gradients, accumulate);
  const sums = new ParameterSums(learned);
  const byLogits = chunks.gradient();
  let loss = 0;
  try {
    for (const rows of chunks.rows()) {
      if (rows.length === 0) continue;
      const losses = rowLosses && new Float64Array(rows.length);
      const gradient = byLogits.rowRange(0, rows.length);
      const sink = new GradientSink(gradient, true);
      loss += explained(call, rows, () =>
        strategy.contribute(chunks.request(rows, part, losses), sink),
      ).loss;
      sink.finish();
      outputs.add(rows, gradient);
      for (const [i, row] of rows.entries()) if (losses) rowLosses[row] = losses[i]!;
    }
    explained(call, inputs.rows, () => outputs.finish(operation));
    sums.check(operation, accumulate);
    sums.commitGradients();
    return { loss, gradients: outputs.commit(), count: inputs.count };
  } finally {
    sums.close();
  }
}

/** The arguments of a strategy that have a row for each row of the batch. */
const ROW_ARGUMENT = /^(student|teacher|labels|gradient|teacher's .*|the (student|teacher)'s tail)$/;

/** Has errors about rows of a chunk name the rows of the batch. */
function ofRows<T extends FloatArray, R>(
  { teacher }: HeadCall<T>,
  rows: readonly number[],
  compute: () => R,
): R {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof DistillationError) || error.row === undefined) throw error;
    const { argument, row } = error;
    if (!ROW_ARGUMENT.test(argument)) throw error;
    const isOfHead = argument === 'student' || (argument === 'teacher' && isHead(teacher));
    const name = isOfHead ? `${argument} logits` : argument;
    throw moved(error, { argument: name, row: rows[row]! });
  }
}

/** {@link ofRows} for a computation: numbers that are not finite are looked for in what the logits are made of. */
function explained<T extends FloatArray, R>(
  call: HeadCall<T>,
  rows: readonly number[],
  compute: () => R,
): R {
  return ofRows(call, rows, () => {
    try {
      return compute();
    } catch (error) {
      if (!(error instanceof DistillationError)) throw error;
      const { operation, student, teacher } = call;
      explainHead(operation, 'student', student, rows);
      if (isHead(teacher)) explainHead(operation, 'teacher', teacher, rows);
      throw error;
    }
  });
}
