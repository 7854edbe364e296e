import type { GradientSink } from '../../call/gradient.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { EXCLUDED_ROW, UNLABELED_ROW } from '../../engine/layout.js';
import { runRows } from '../../engine/rows.js';
import type { RowsCall } from '../../engine/rowsCall.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { addLabels, finiteRows } from './_labels.js';
import type { Pass } from './_pass.js';
import { gather, reducedColumns } from './_sparseRows.js';
import { temperaturesOf } from './_temperatures.js';
import type { Tail } from './_terms.js';

/**
 * A pass over rows of a sparse teacher in the engine: the tails of all rows, the loss of the rows of kept classes, the
 * labels, and the gradient back to all columns. `false`, and nothing done, where JavaScript has to compute.
 */
export function runSparse<T extends FloatArray>(
  pass: Pass<T>,
  teacher: SparseTargets<T>,
  losses: Float64Array,
  sink: GradientSink<T> | undefined,
): boolean {
  const { kernel, tail } = pass.loss.terms;
  // With the tail dropped, not every class has a term: the few classes of such rows are left to JavaScript.
  if (!kernel || tail === undefined || tail === 'drop') return false;
  const reduced = reduceRows(pass, teacher, tail);
  if (!reduced) return false;
  const derivatives = new Float64Array(sink ? reduced.student.length : 0);
  const few: RowsCall = {
    ...reduced,
    kernel,
    temperature: 1,
    option: kernel.option ?? 0,
    otherOption: kernel.otherOption ?? 0,
  };
  const claim = sink && (() => ({ data: derivatives, scale: 1, adds: false }));
  if (!runRows(few, losses, claim)) return false;
  addLabels(pass, losses, sink);
  if (sink) spread(pass, teacher, few.columns, { derivatives, losses }, sink);
  return true;
}

/** What a kernel for all columns of the student takes. */
function allColumns<T extends FloatArray>(
  { batch: { student }, temperature, temperatures, tables }: Pass<T>,
  { values, indices }: SparseTargets<T>,
  name: string,
): RowsCall {
  const { data, rows, columns } = student;
  const kernel = { binary: RESPONSE, name };
  const kept = { count: values.columns, indices };
  return { ...tables, kernel, student: data, rows, columns, temperature, temperatures, kept };
}

/** The rows of kept classes on both sides, softened; `undefined` where JavaScript has to compute. */
function reduceRows<T extends FloatArray>(
  pass: Pass<T>,
  teacher: SparseTargets<T>,
  tail: Tail,
): Omit<RowsCall, 'kernel' | 'temperature'> | undefined {
  const { batch, tables } = pass;
  const temperatureOf = temperaturesOf(pass, pass);
  const { rows } = batch.student;
  const columns = reducedColumns(teacher, tail);
  const k = teacher.values.columns;
  const tails = new Float64Array(rows);
  if (!runRows(allColumns(pass, teacher, 'readTail'), tails)) return undefined;
  const student = new Float64Array(rows * columns);
  const softTeacher = new Float64Array(rows * columns);
  const labels = new Int32Array(rows).fill(EXCLUDED_ROW);
  const weights = new Float64Array(2 * rows);
  for (const row of batch.rows) {
    const [start, end] = [row * columns, (row + 1) * columns];
    const [x, y] = [student.subarray(start, end), softTeacher.subarray(start, end)];
    gather(batch.student, teacher, row, temperatureOf(row), x, y);
    if (columns > k) {
      x[k] = tails[row]!;
      y[k] = teacher.tailOf(row);
    } else if (Number.isNaN(tails[row]!) && k < teacher.columns) {
      x[0] = Number.NaN; // a logit that is left out of the loss is refused as well
    }
    labels[row] = UNLABELED_ROW;
    weights[2 * row] = tables.weights[2 * row]!;
  }
  return { student, teacher: softTeacher, rows, columns, labels, weights };
}

/** Takes the derivatives by the kept classes and the tail back to all columns. */
function spread<T extends FloatArray>(
  pass: Pass<T>,
  teacher: SparseTargets<T>,
  reduced: number,
  { derivatives, losses }: { readonly derivatives: Float64Array; readonly losses: Float64Array },
  sink: GradientSink<T>,
): void {
  const { batch, tables } = pass;
  const temperatureOf = temperaturesOf(pass, pass);
  const { rows, columns } = batch.student;
  const k = teacher.values.columns;
  const weights = new Float64Array(2 * rows);
  const labels = finiteRows(tables.labels, losses);
  for (let row = 0; row < rows; row++) {
    if (reduced > k)
      weights[2 * row] = derivatives[row * reduced + k]! / temperatureOf(row).student;
  }
  const { data, scale, adds } = sink.claim(rows);
  const call = { ...allColumns(pass, teacher, 'spreadTail'), labels, weights };
  runRows(call, new Float64Array(rows), () => ({ data, scale, adds }));
  for (let row = 0; row < rows; row++) {
    if (labels[row] === EXCLUDED_ROW) continue;
    const factor = scale / temperatureOf(row).student;
    for (let i = 0; i < k; i++) {
      const at = row * columns + teacher.indices[row * k + i]!;
      data[at]! += factor * derivatives[row * reduced + i]!;
    }
  }
}
