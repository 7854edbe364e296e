// The law about logits that a head makes of hidden states, for one example.

import type { IDistillationStrategy } from '../call/options.js';
import { sharesBase } from '../call/strategy.js';
import { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';
import { isRowwise } from '../head/checks.js';
import { computeThroughHead } from '../head/computeThroughHead.js';
import type { RowwiseStrategy } from '../head/options.js';
import type { DistillationCase } from './arbitraries.js';
import { type Call, callOf, lossAndGradientOf } from './call.js';
import { expectClose, expectSameBits, largest } from './compare.js';
import { roundingOf, type Subject } from './subject.js';

/** The strategy if it can be evaluated through a head; `undefined` otherwise. */
export function rowwise<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): RowwiseStrategy<T> | undefined {
  return sharesBase(strategy) && isRowwise(strategy) ? (strategy as RowwiseStrategy<T>) : undefined;
}

/** A head whose product is exact: each column of the logits is one of hidden, times a power of two. */
function headOf<T extends FloatArray>(logits: Matrix<T>) {
  const { rows, columns } = logits;
  const hidden = logits.zerosLike();
  const weight = Matrix.zeros(columns, columns, logits.numeric);
  for (let j = 0; j < columns; j++) {
    const k = columns - 1 - j;
    const factor = j % 2 === 0 ? 2 : -0.5;
    weight.set(k, j, factor);
    for (let row = 0; row < rows; row++) hidden.set(row, k, logits.get(row, j) / factor);
  }
  return { hidden, weight, bias: Matrix.zeros(1, columns, logits.numeric) };
}

/** −Infinity cannot be a product: the case with 0 in its place, on both sides. */
function withoutRuledOut(example: DistillationCase): DistillationCase {
  const finite = (rows: readonly (readonly number[])[]) =>
    rows.map((row) => row.map((value) => (value === -Infinity ? 0 : value)));
  return { ...example, student: finite(example.student), teacher: finite(example.teacher) };
}

/** a · b, and the same of absolute values, which roundings are relative to. */
function product(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): { readonly values: number[]; readonly size: number } {
  const sumOf = (of: (value: number) => number) =>
    a.flatMap((row) =>
      b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + of(value * b[k]![j]!), 0)),
    );
  return { values: sumOf((value) => value), size: Math.max(1, largest(sumOf(Math.abs))) };
}

function turned(rows: readonly (readonly number[])[]): number[][] {
  return rows[0]!.map((_, j) => rows.map((row) => row[j]!));
}

function gradientsOf<T extends FloatArray>(strategy: RowwiseStrategy<T>): number[][] {
  return strategy.parameters().map(({ gradient }) => Array.from(gradient.data));
}

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
    hidden: product(byLogits, turned(head.weight.toRows())),
    weight: product(turned(head.hidden.toRows()), byLogits),
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
    expectSameCall(strategy, head, { ...call, teacher: call.teacher }, chunkRows);
  }
}

/** The same call gives the same bits. */
function expectSameCall<T extends FloatArray>(
  strategy: RowwiseStrategy<T>,
  head: ReturnType<typeof headOf<T>>,
  { teacher, labels, options }: Call<T>,
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
