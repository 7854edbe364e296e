// Evaluates a response loss in the engine. JavaScript evaluates, row by row, a loss that the engine
// does not have, and the rows whose extreme numbers the engine leaves.

import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import { addRowLoss } from '../../call/rowOptions.js';
import type { FloatArray } from '../../core/numeric.js';
import { UNLABELED_ROW } from '../../engine/layout.js';
import { runRows } from '../../engine/rows.js';
import type { RowsCall } from '../../engine/rowsCall.js';
import { softmaxCrossEntropy } from '../../kernels/rows/crossEntropy.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { type ColumnTerm, evaluateColumns } from './_columns.js';
import { addLabels, rowLabelOf } from './_labels.js';
import type { Pass, ResponseLoss } from './_pass.js';
import { type CallTables, fillTables } from './_rowTables.js';
import { runWithSoftmaxKernel } from './_softmaxKernel.js';
import { denseRows, type SoftRows } from './_softRows.js';
import { runSparse } from './_sparse.js';
import { sparseRows } from './_sparseRows.js';
import { temperaturesOf } from './_temperatures.js';

/** Returns the loss of a batch, and writes its gradient to the sink. */
export function evaluateResponse<T extends FloatArray>(
  loss: ResponseLoss,
  batch: DistillationBatch<T, SparseTargets<T>>,
  gradient: GradientSink<T> | undefined,
): number {
  const tables = loss.spare.take(batch.student.rows);
  fillTables(batch, loss, tables);
  const { normalizer } = batch;
  const value = evaluatePasses(loss, batch, tables, gradient?.times(1 / normalizer)) / normalizer;
  loss.spare.giveBack(tables);
  return value;
}

/** The temperatures of one pass: the student's, for all rows or for each row, and the teacher's. */
type PassTemperatures = Pick<
  Pass<FloatArray>,
  'temperature' | 'temperatures' | 'teacherTemperature'
>;

/** The temperatures of each pass; most losses have one pass. */
function passesOf<T extends FloatArray>(
  { terms, teacherTemperature }: ResponseLoss,
  { temperature, temperatures }: DistillationBatch<T, SparseTargets<T>>,
): readonly PassTemperatures[] {
  const each = terms.temperatures;
  if (!each) return [{ temperature, temperatures, teacherTemperature }];
  return each(temperature).map((passTemperature, index) => ({
    temperature: passTemperature,
    temperatures: temperatures?.map((ofRow) => each(ofRow)[index]!),
    teacherTemperature: teacherTemperature && each(teacherTemperature)[index]!,
  }));
}

/** The sum over all passes and all rows. */
function evaluatePasses<T extends FloatArray>(
  loss: ResponseLoss,
  batch: DistillationBatch<T, SparseTargets<T>>,
  tables: CallTables,
  sink: GradientSink<T> | undefined,
): number {
  const { terms, temperatureSquared } = loss;
  const { softWeight = 1 } = terms;
  const passes = passesOf(loss, batch);
  const factorAt = (each: number) => (temperatureSquared ? each * each : 1);
  let sum = 0;
  let isJoined = false;
  // Written out: on small batches, iterators and spreads take longer than the loss.
  for (let index = 0; index < passes.length; index++) {
    const { temperature, temperatures, teacherTemperature } = passes[index]!;
    const pass = { loss, batch, temperature, temperatures, teacherTemperature, tables };
    const columns = terms.columns && columnsOf(pass, factorAt(temperature));
    // A single pass may change the weights in place, unless `addJoint` reads them afterwards.
    const isOnly = passes.length === 1 && (!terms.joint || columns !== undefined);
    const passTables = isOnly ? tables : { ...tables, weights: tables.weights.slice() };
    const { weights } = passTables;
    for (let row = 0; 2 * row < weights.length; row++) {
      weights[2 * row]! *= factorAt(temperatures?.[row] ?? temperature) * softWeight;
      if (index > 0) weights[2 * row + 1] = 0;
    }
    sum += evaluatePass({ ...pass, tables: passTables, columns }, sink);
    for (const row of batch.rows) addRowLoss(batch, row, passTables.losses[row]!);
    if (columns) sum += columns.loss;
    else isJoined ||= terms.joint !== undefined;
  }
  if (isJoined) sum += addJoint({ loss, batch, tables }, passes, factorAt, sink);
  return sum;
}

/**
 * Evaluates the joint loss as a loss of columns. Returns `undefined` if the joint loss is left to
 * JavaScript, or has weight 0.
 */
function columnsOf<T extends FloatArray>(pass: Pass<T>, factor: number): ColumnTerm | undefined {
  const columns = pass.loss.terms.columns!;
  const call = rowsCallOf(pass);
  // The engine leaves rows of one or two classes to JavaScript, so their columns are left too.
  if (!call || call.columns <= 2) return undefined;
  const { weights } = pass.tables;
  let weight = 0;
  for (const row of pass.batch.rows) weight += weights[2 * row]!;
  if (weight === 0) return undefined; // without weight, no teacher is read
  const each = weight * factor * columns.weight(call.columns);
  return evaluateColumns(call, columns.name, pass.batch.rows.length, each);
}

function evaluatePass<T extends FloatArray>(
  pass: Pass<T>,
  sink: GradientSink<T> | undefined,
): number {
  const { rows, student } = pass.batch;
  const { losses, weights } = pass.tables;
  losses.fill(0);
  const isDone = runInEngine(pass, losses, sink);
  let sum = 0;
  let evaluateRow: RowEvaluation | undefined;
  let derivative: Float64Array | undefined;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (isDone && Number.isFinite(losses[row])) {
      sum += losses[row]!;
      continue;
    }
    evaluateRow ??= rowEvaluation(pass);
    derivative ??= new Float64Array(student.columns);
    derivative.fill(0);
    losses[row] = evaluateRow(row, weights[2 * row]!, weights[2 * row + 1]!, derivative);
    sum += losses[row]!;
    sink?.add(row, derivative);
  }
  if (isDone) sink?.settle(boundOf(pass, losses));
  return sum;
}

/**
 * Writes losses and gradients of all rows. Returns `false`, with nothing written, if JavaScript has
 * to compute them.
 */
function runInEngine<T extends FloatArray>(
  pass: Pass<T>,
  losses: Float64Array,
  sink: GradientSink<T> | undefined,
): boolean {
  const { terms, standardizeLogits } = pass.loss;
  const { sparse } = pass.batch;
  if (sparse) return runSparse(pass, sparse, losses, sink);
  const { kernel } = terms;
  if (kernel?.isSoftAlone && standardizeLogits) return false;
  const call = rowsCallOf(pass);
  if (!call) return terms.divergence !== undefined && runWithSoftmaxKernel(pass, losses, sink);
  if (!runRows(call, losses, sink && (() => sink.claim(call.rows)))) return false;
  if (kernel?.isSoftAlone) addLabels(pass, losses, sink);
  return true;
}

/** The engine's call for all rows of a dense teacher; `undefined` for a loss without a kernel. */
function rowsCallOf<T extends FloatArray>(pass: Pass<T>): RowsCall | undefined {
  const { loss, batch, temperature, temperatures, teacherTemperature, tables } = pass;
  const { kernel } = loss.terms;
  if (!kernel) return undefined;
  const { student, distributions } = batch;
  const { data, rows, columns } = student;
  const teacher = batch.teacher as typeof student;
  return {
    labels: tables.labels,
    weights: kernel.weightAt
      ? softScaled(tables.weights, (row) => kernel.weightAt!(temperatures?.[row] ?? temperature))
      : tables.weights,
    kernel,
    student: data,
    teacher: teacher.data,
    rows,
    columns,
    teacherColumns: teacher.columns,
    distributions: distributions?.data,
    temperature,
    temperatures,
    teacherTemperature,
    standardizes: loss.standardizeLogits,
    option: kernel.option ?? 0,
    otherOption: kernel.ruledOut ?? kernel.otherOption ?? 0,
    ranks: kernel.ranks ?? false,
    perColumn: pass.columns?.perColumn,
  };
}

/** The weights, with each soft weight times a factor of its row. */
function softScaled(weights: Float64Array, factorOf: (row: number) => number): Float64Array {
  const scaled = weights.slice();
  for (let row = 0; 2 * row < scaled.length; row++) scaled[2 * row]! *= factorOf(row);
  return scaled;
}

/**
 * Bound on the part of a derivative by a logit that does not grow with the loss. It is generous:
 * such parts are logarithms or differences of probabilities.
 */
const SLOPE_BOUND = 1e9;

/** Bound on the absolute derivative of any row by its logits. */
function boundOf<T extends FloatArray>(pass: Pass<T>, losses: Float64Array): number {
  const { loss, temperature, temperatures, tables, columns } = pass;
  const { option = 0, otherOption = 0 } = loss.terms.kernel ?? {};
  let bound = (columns?.steepest ?? 0) / temperature;
  for (let row = 0; row < losses.length; row++) {
    const [softWeight, hardWeight] = [tables.weights[2 * row]!, tables.weights[2 * row + 1]!];
    const soft = Math.abs(softWeight) * SLOPE_BOUND + 2 * Math.abs(losses[row]!);
    bound = Math.max(bound, soft / (temperatures?.[row] ?? temperature) + Math.abs(hardWeight));
  }
  const steepness = loss.standardizeLogits ? SLOPE_BOUND : 1;
  return bound * steepness * (1 + option + otherOption);
}

/** Returns the weighted soft and hard loss of one row, and adds its derivative. */
type RowEvaluation = (row: number, soft: number, hard: number, derivative: Float64Array) => number;

/** The rows as a soft loss in JavaScript reads them. */
function softRowsOf<T extends FloatArray>(
  { terms, standardizeLogits }: ResponseLoss,
  { student, teacher, sparse }: DistillationBatch<T, SparseTargets<T>>,
): SoftRows {
  if (sparse) return sparseRows(student, sparse, terms.tail!);
  return denseRows(student, teacher as typeof student, standardizeLogits);
}

function rowEvaluation<T extends FloatArray>(pass: Pass<T>): RowEvaluation {
  const { loss, batch, tables } = pass;
  const temperatureOf = temperaturesOf(pass, pass);
  const { student, distributions } = batch;
  const { columns } = student;
  const rows = softRowsOf(loss, batch);
  const labelRows = { labels: tables.labels, columns, distributions: distributions?.data };
  const softLoss = loss.softLoss(rows.columns, rows.terms);
  const hardLoss = (loss.terms.hard?.loss ?? softmaxCrossEntropy)(columns);
  return (row, soft, hard, derivative) => {
    const label = tables.labels[row]!;
    let sum = 0;
    if (soft !== 0) {
      sum += soft * softLoss(rows.load(row, temperatureOf(row), Math.max(label, UNLABELED_ROW)));
      rows.addDerivative(soft, derivative);
    }
    if (hard === 0) return sum;
    const rowLabel = rowLabelOf(labelRows, row);
    return sum + hardLoss(student.data, row * columns, rowLabel, hard, derivative);
  };
}

/** Adds the joint loss to the sink, row by row, and returns its sum over the rows. */
function addJoint<T extends FloatArray>(
  { loss, batch, tables: { weights } }: Pick<Pass<T>, 'loss' | 'batch' | 'tables'>,
  passes: readonly PassTemperatures[],
  factorOf: (temperature: number) => number,
  sink: GradientSink<T> | undefined,
): number {
  const weightOf = (row: number): number => weights[2 * row]!;
  const { rows, student } = batch;
  const partOf = loss.terms.joint!(softRowsOf(loss, batch), {
    rows,
    temperatures: passes.map(({ temperature, teacherTemperature = temperature }) => ({
      student: temperature,
      teacher: teacherTemperature,
    })),
    factorOf,
    weightOf,
  });
  const derivative = new Float64Array(student.columns);
  let sum = 0;
  for (const row of rows) {
    derivative.fill(0);
    sum += partOf(row, weightOf(row), derivative);
    sink?.add(row, derivative);
  }
  return sum;
}
