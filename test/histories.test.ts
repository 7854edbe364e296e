import { expect, test } from 'vitest';
import { type FloatArray, float32, float64 } from '../src/index.js';
import {
  buildCase,
  buildLabels,
  buildMatrix,
  type Case,
  goldenFiles,
} from './prove/goldenCases.js';
import {
  expectSameBits,
  type Inputs,
  numbersFrom,
  pick,
  type Random,
  repeatable,
  SEED,
} from './prove/histories.js';

// A strategy leaves no trace in the calls of other strategies. Its own test file proves this for
// its own calls, with more shapes.

/** The arguments of a golden case, of all of its rows or of some, each once or repeatedly. */
function inputsOf(random: Random, golden: Case, numeric: typeof float32 | typeof float64): Inputs {
  const { length } = golden.student;
  const rows = golden.memory ? length : pick(random, [1, 2, length, 18]);
  const places = Array.from({ length: rows }, (_, i) => i % length);
  const some = <V>(values: readonly V[] | undefined) => values && places.map((i) => values[i]!);
  return {
    student: buildMatrix<FloatArray>(some(golden.student)!, numeric),
    teacher: buildMatrix<FloatArray>(some(golden.teacher)!, numeric),
    labels: buildLabels<FloatArray>(some<number | number[]>(golden.labels), numeric),
    mask: some(golden.mask),
  };
}

test(`a call gives the same bits after calls of all strategies, seed ${SEED}`, async () => {
  const random = numbersFrom(SEED);
  const files = await goldenFiles();
  const calls = Object.entries(files).flatMap(([strategy, { cases }]) =>
    cases.map((golden) => {
      const numeric = pick(random, [float32, float64]);
      const instance = buildCase<FloatArray>(strategy, golden, numeric);
      const name = `${strategy}, ${golden.name}, ${numeric.dtype}`;
      return repeatable(random, name, instance, (numbers) => inputsOf(numbers, golden, numeric));
    }),
  );
  expect(calls.length).toBeGreaterThan(500);
  expectSameBits(random, calls, 0.6 * calls.length);
}, 30_000);
