import type { GradientSink } from '../../call/gradient.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { EXCLUDED_ROW, UNLABELED_ROW } from '../../engine/layout.js';
import { runRows } from '../../engine/rows.js';
import type { RowsCall, RowTables } from '../../engine/rowsCall.js';
import { NO_CLASS } from '../../teachers/raggedRows.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { addLabels, finiteRows } from './_labels.js';
import type { Pass } from './_pass.js';
import { gather, placeOf, reducedColumns, termsOf } from './_sparseRows.js';
import { temperaturesOf } from './_temperatures.js';
import type { SoftKernel, Tail } from './_terms.js';

/**
 * Evaluates a pass with a sparse teacher in the engine, in four steps: the tails of all rows; the
 * loss of the rows of kept classes, in JavaScript if the engine does not have it; the labels; the
 * gradient, spread to all columns. Returns `false`, with nothing written, if JavaScript has to
 * compute all of it.
 */
export function runSparse<T extends FloatArray>(
  pass: Pass<T>,
  teacher: SparseTargets<T>,
  losses: Float64Array,
  sink: GradientSink<T> | undefined,
): boolean {
  const { kernel, tail } = pass.loss.terms;
  if (tail === undefined) return false;
  const reduced = reduceRows(pass, teacher, tail);
  if (!reduced) return false;
  const derivatives = new Float64Array(sink ? reduced.student.length : 0);
  // A kernel sums over every column, so it cannot drop the tail.
  const isWhole = kernel !== undefined && tail !== 'drop';
  const isDone = isWhole && runReduced(kernel, reduced, losses, sink && derivatives);
  if (!isDone) evaluateReduced(pass, teacher, reduced, losses, sink && derivatives);
  addLabels(pass, losses, sink);
  if (sink) spread(pass, teacher, reduced.columns, { derivatives, losses }, sink);
  return true;
}

/** The softened rows of kept classes on both sides, with the bucket of all others. */
interface ReducedRows extends RowTables {
  readonly student: Float64Array;
  readonly teacher: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Writes losses and derivatives of the rows of kept classes by a kernel. Returns `false` if
 * JavaScript has to compute them.
 */
function runReduced(
  kernel: SoftKernel,
  reduced: ReducedRows,
  losses: Float64Array,
  derivatives: Float64Array | undefined,
): boolean {
  const { option = 0, otherOption = 0 } = kernel;
  const call: RowsCall = { ...reduced, kernel, temperature: 1, option, otherOption };
  return runRows(
    call,
    losses,
    derivatives && (() => ({ data: derivatives, scale: 1, adds: false })),
  );
}

/** Does the same in JavaScript. The derivative of a row whose loss is not finite is not written. */
function evaluateReduced<T extends FloatArray>(
  { loss, batch, tables }: Pass<T>,
  sparse: SparseTargets<T>,
  { student, teacher, columns, weights }: ReducedRows,
  losses: Float64Array,
  derivatives: Float64Array | undefined,
): void {
  const softLoss = loss.softLoss(columns, termsOf(sparse, loss.terms.tail!, columns));
  const derivative = new Float64Array(columns);
  for (const row of batch.rows) {
    const weight = weights[2 * row]!;
    if (weight === 0) continue;
    const start = row * columns;
    const x = student.subarray(start, start + columns);
    const y = teacher.subarray(start, start + columns);
    const label = placeOf(sparse, row, tables.labels[row]!);
    losses[row] = weight * softLoss({ student: x, teacher: y, label, derivative });
    if (!derivatives || !Number.isFinite(losses[row])) continue;
    for (let i = 0; i < columns; i++) derivatives[start + i] = weight * derivative[i]!;
  }
}

/** The engine's call for all columns of the student. */
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

/** The softened rows of kept classes; `undefined` if JavaScript has to compute. */
function reduceRows<T extends FloatArray>(
  pass: Pass<T>,
  teacher: SparseTargets<T>,
  tail: Tail,
): ReducedRows | undefined {
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
    const keepsAll = teacher.keepsAll(row);
    if (columns > k) {
      x[k] = keepsAll ? -Infinity : tails[row]!;
      y[k] = teacher.tailOf(row);
    } else if (Number.isNaN(tails[row]!) && !keepsAll) {
      x[0] = Number.NaN; // a NaN outside the kept classes is refused, too
    }
    labels[row] = UNLABELED_ROW;
    weights[2 * row] = tables.weights[2 * row]!;
  }
  return { student, teacher: softTeacher, rows, columns, labels, weights };
}

/** Spreads the derivatives by the kept classes and by the tail to all columns. */
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
  let steepest = 0; // read from the derivatives: a divergence of a user has no known bound
  for (let row = 0; row < rows; row++) {
    for (let i = row * reduced; i < (row + 1) * reduced; i++) {
      steepest = Math.max(steepest, Math.abs(derivatives[i]!) / temperatureOf(row).student);
    }
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
      const index = teacher.indices[row * k + i]!;
      if (index === NO_CLASS) continue;
      data[row * columns + index]! += factor * derivatives[row * reduced + i]!;
    }
  }
  sink.settle(steepest);
}
