// The laws about row weights, row temperatures and row losses, each for one example.

import type { EvaluationOptions, IDistillationStrategy } from '../call/options.js';
import { IGNORE_INDEX } from '../core/labels.js';
import { type FloatArray, float64, type NumericTrait } from '../core/numeric.js';
import { type Call, callOf, gradientOf, lossOf } from './call.js';
import type { DistillationCase } from './cases.js';
import { expectClose, expectSameBits, largest, throws } from './compare.js';
import { roundingOf, type Subject } from './subject.js';

const WEIGHTS = [0.5, 0, -2, 3, 1.25];

/** Returns the weights of an example, or other weights if it has none. */
function weightsOf({ rowWeights, student }: DistillationCase): number[] {
  return rowWeights ?? student.map((_, row) => WEIGHTS[row % WEIGHTS.length]!);
}

/** Returns the losses of the rows, and the loss of the call that writes them. */
function rowLossesOf<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  { student, teacher, labels, options }: Call<T>,
  more: EvaluationOptions<T>,
): { readonly rowLosses: Float64Array; readonly loss: number } {
  const rowLosses = new Float64Array(student.rows).fill(7);
  const asked = { ...options, ...more, rowLosses };
  return { rowLosses, loss: strategy.computeLoss(student, teacher, labels, asked) };
}

export function weightsAddUp<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const rounding = roundingOf(subject, numeric);
  const call = callOf(numeric, { ...example, rowWeights: undefined });
  const loss = lossOf(strategy, call);
  const gradient = gradientOf(strategy, call);
  const { rows } = call.student;

  const ones = { rowWeights: new Array<number>(rows).fill(1) };
  const { rowLosses, loss: ofOnes } = rowLossesOf(strategy, call, ones);
  expectSameBits('loss with weights of 1', [ofOnes], [loss]);
  expectSameBits(
    'gradient with weights of 1',
    gradientOf(strategy, call, ones).data,
    gradient.data,
  );

  const rowWeights = weightsOf(example);
  const weighted = { rowWeights };
  const kept = countOf(example);
  const denominator = example.normalizer ?? Math.max(kept, 1);
  const terms = [...rowLosses].map((each, row) => (rowWeights[row]! * each) / denominator);
  const expected = terms.reduce((sum, term) => sum + term, 0);
  const size = Math.max(1, largest(terms));
  const found = lossOf(strategy, { ...call, options: { ...call.options, ...weighted } });
  expectClose('loss', [found], [expected], size, rounding);

  const withWeights = rowLossesOf(strategy, call, weighted).rowLosses;
  const read = [...rowLosses].map((each, row) => (rowWeights[row] === 0 ? 0 : each));
  expectClose('losses of rows', withWeights, read, Math.max(1, largest(read)), rounding);

  const rowsOfGradient = gradient.toRows();
  const expectedGradient = rowsOfGradient.flatMap((row, i) => row.map((g) => rowWeights[i]! * g));
  const scale = Math.max(1, largest(expectedGradient));
  const own = gradientOf(strategy, call, weighted).data;
  expectClose('gradient', own, expectedGradient, scale, rounding);
}

export function weightZeroMasks<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const strategy = subject.create(numeric);
  const rowWeights = weightsOf(example);
  const { mask } = example;
  const weighed = callOf(numeric, { ...example, rowWeights });
  const masked = callOf(numeric, {
    ...example,
    rowWeights,
    mask: rowWeights.map((weight, row) => (weight === 0 ? 0 : (mask?.[row] ?? 1))),
    normalizer: example.normalizer ?? Math.max(countOf(example), 1),
  });
  rowWeights.forEach((weight, row) => {
    if (weight !== 0) return;
    weighed.student.row(row).fill(Number.NaN);
    weighed.teacher.row(row).fill(Number.NaN);
  });
  expectSameBits('loss', [lossOf(strategy, weighed)], [lossOf(strategy, masked)]);
  const gradient = gradientOf(strategy, weighed);
  expectSameBits('gradient', gradient.data, gradientOf(strategy, masked).data);
}

export function refusesRowOptions(subject: Subject, example: DistillationCase): void {
  const strategy = subject.create(float64);
  const { student, teacher, labels, options } = callOf(float64, example);
  const rowWeights = new Float64Array(student.rows).fill(1);
  const rowLosses = new Float64Array(student.rows);
  for (const more of [{ rowWeights }, { rowLosses }]) {
    const ask = () => strategy.computeLoss(student, teacher, labels, { ...options, ...more });
    if (throws(ask)) continue;
    throw new Error(`${Object.keys(more)[0]} is accepted, and the loss is no sum over rows`);
  }
}

export function rowsHaveTemperatures<T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
): void {
  const { mask } = example;
  const temperatures = example.temperatures ?? example.student.map((_, row) => 0.5 + row);
  const normalizer = example.normalizer ?? Math.max(countOf(example), 1);
  const whole = callOf(numeric, { ...example, temperatures, normalizer });
  const strategy = subject.create(numeric);
  const gradient = gradientOf(strategy, whole).toRows();
  let loss = 0;
  for (const [row, temperature] of temperatures.entries()) {
    const alone = subject.create(numeric);
    alone.temperature = temperature;
    const own = example.student.map((_, other) => (other === row ? (mask?.[row] ?? 1) : 0));
    const one = callOf(numeric, { ...example, temperatures: undefined, mask: own, normalizer });
    loss += lossOf(alone, one);
    const name = `gradient of row ${row}`;
    expectSameBits(name, gradient[row]!, gradientOf(alone, one).toRows()[row]!);
  }
  const size = Math.max(1, Math.abs(loss));
  expectClose('loss', [lossOf(strategy, whole)], [loss], size, roundingOf(subject, numeric));
}

/** Returns the number of rows that neither the mask nor a label excludes. */
function countOf({ student, mask, labels }: DistillationCase): number {
  return student.filter((_, row) => (mask?.[row] ?? 1) === 1 && labels?.[row] !== IGNORE_INDEX)
    .length;
}
