// The law about logits that a head computes from hidden states, for one example.

import type { IDistillationStrategy } from '../call/options.js';
import { sharesBase } from '../call/sharesBase.js';
import { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';
import { isRowwise } from '../head/checks.js';
import { computeThroughHead } from '../head/computeThroughHead.js';
import type { HeadLogits } from '../head/head.js';
import type { RowwiseStrategy } from '../head/options.js';
import { type Call, callOf, lossAndGradientOf } from './call.js';
import type { DistillationCase } from './cases.js';
import { expectClose, expectSameBits, largest } from './compare.js';
import { product, transposed } from './products.js';
import { roundingOf, type Subject } from './subject.js';

/** Returns the strategy if it can be evaluated through a head; `undefined` otherwise. */
export function rowwise<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): RowwiseStrategy<T> | undefined {
  return sharesBase(strategy) && isRowwise(strategy) ? (strategy as RowwiseStrategy<T>) : undefined;
}

/**
 * Returns hidden states and a head that give exactly these logits: each column of logits is a
 * column of the hidden states times a power of two, plus a bias.
 */
function headOf<T extends FloatArray>(logits: Matrix<T>) {
  const { rows, columns, numeric } = logits;
  const hidden = logits.zerosLike();
  const weight = Matrix.zeros(columns, columns, numeric);
  const bias = Matrix.zeros(1, columns, numeric);
  for (const [j, column] of transposed(logits.toRows()).entries()) {
    const k = columns - 1 - j;
    const factor = j % 2 === 0 ? 2 : -0.5;
    const added = exactBias(column, numeric);
    weight.set(k, j, factor);
    bias.set(0, j, added);
    for (let row = 0; row < rows; row++) hidden.set(row, k, (column[row]! - added) / factor);
  }
  return { hidden, weight, bias };
}

/** Returns ± a power of two that can be subtracted and added again without rounding; or 0. */
function exactBias<T extends FloatArray>(logits: number[], { round }: NumericTrait<T>): number {
  const size = 2 ** Math.floor(Math.log2(Math.min(...logits.map(Math.abs))));
  const isExact = (bias: number) => logits.every((value) => round(value - bias) + bias === value);
  return [size, -size].find(isExact) ?? 0;
}

/** Replaces −Infinity, which a product cannot be, by 0 on both sides. */
function withoutRuledOut(example: DistillationCase): DistillationCase {
  const finite = (rows: readonly (readonly number[])[]) =>
    rows.map((row) => row.map((value) => (value === -Infinity ? 0 : value)));
  return { ...example, student: finite(example.student), teacher: finite(example.teacher) };
}

function gradientsOf<T extends FloatArray>(strategy: RowwiseStrategy<T>): number[][] {
  return strategy.parameters().map(({ gradient }) => Array.from(gradient.data));
}

/** Loss and gradients through a head equal those of the matrix of logits, up to rounding. */
export function agreesThroughHead<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = rowwise(subject.create(numeric))!;
  const rounding = roundingOf(subject, numeric);
  const call = callOf(numeric, withoutRuledOut(example));
  const expectedLosses = new Float64Array(call.student.rows);
  const expected = lossAndGradientOf(strategy, call, { rowLosses: expectedLosses })!;
  const learned = gradientsOf(strategy);
  const head = headOf(call.student);
  const byLogits = expected.gradient.toRows();
  const ofHead = {
    hidden: product(byLogits, transposed(head.weight.toRows())),
    weight: product(transposed(head.hidden.toRows()), byLogits),
    bias: product([byLogits.map(() => 1)], byLogits),
  };
  for (const chunkRows of [1, 2, call.student.rows + 1]) {
    const rowLosses = new Float64Array(call.student.rows).fill(7);
    const options = { ...call.options, rowLosses, chunkRows };
    const teacher = chunkRows === 2 ? headOf(call.teacher) : call.teacher;
    const found = computeThroughHead(strategy, head, teacher, call.labels, options);
    const what = `in chunks of ${chunkRows}`;
    const size = Math.max(1, Math.abs(expected.loss), largest(expectedLosses));
    expectClose(`loss ${what}`, [found.loss], [expected.loss], size, rounding);
    expectClose(`losses of rows ${what}`, rowLosses, expectedLosses, size, rounding);
    expectSameBits(`count ${what}`, [found.count], [expected.count]);
    for (const name of ['hidden', 'weight', 'bias'] as const) {
      const { values, size: largestSum } = ofHead[name];
      const own = found.gradients[name]!.data;
      expectClose(`gradient of ${name} ${what}`, own, values, largestSum, rounding);
    }
    for (const [i, gradient] of gradientsOf(strategy).entries()) {
      const before = learned[i]!;
      const scale = Math.max(1, largest(before));
      expectClose(`gradient of a parameter ${what}`, gradient, before, scale, rounding);
    }
    expectSameCall(strategy, head, { ...call, teacher }, chunkRows);
  }
}

/** Throws unless the same call gives the same bits. */
function expectSameCall<T extends FloatArray>(
  strategy: RowwiseStrategy<T>,
  head: ReturnType<typeof headOf<T>>,
  { teacher, labels, options }: Omit<Call<T>, 'teacher'> & { teacher: Matrix<T> | HeadLogits<T> },
  chunkRows: number,
): void {
  const compute = () =>
    computeThroughHead(strategy, head, teacher, labels, { ...options, chunkRows });
  const [first, second] = [compute(), compute()];
  expectSameBits('loss of the same call', [second.loss], [first.loss]);
  for (const name of ['hidden', 'weight', 'bias'] as const) {
    const bits = first.gradients[name]!.data;
    expectSameBits(`gradient of ${name} of the same call`, second.gradients[name]!.data, bits);
  }
}
