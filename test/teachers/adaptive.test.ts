import { describe, expect, test } from 'vitest';
import { adaptiveTemperatures, float32, Matrix } from '../../src/index.js';
import { matrix } from '../support/float64Matrix.js';
import { refusal, wrong } from '../support/refusal.js';

const measures = ['confidence', 'entropy'] as const;
const range = [1, 5] as const;

/** Probabilities as logits, shifted by a constant. */
function logits(...rows: number[][]): Matrix<Float64Array> {
  return matrix(...rows.map((row) => row.map((p) => 3 + Math.log(p))));
}

describe('adaptiveTemperatures', () => {
  test('maps confidence to a temperature, as computed by hand', () => {
    const outputs = logits(
      [0.25, 0.25, 0.25, 0.25],
      [0.5, 0.25, 0.125, 0.125],
      [0.1, 0.7, 0.1, 0.1],
    );
    const temperatures = adaptiveTemperatures(outputs, { by: 'confidence', range });
    // c = (max p − 1/4) / (3/4): 0, 1/3, 0.6
    for (const [i, expected] of [1, 1 + 4 / 3, 3.4].entries()) {
      expect(temperatures[i]).toBeCloseTo(expected, 14);
    }
    expect(temperatures).toHaveLength(3);
  });

  test('maps entropy to a temperature, as computed by hand', () => {
    const outputs = logits([0.25, 0.25, 0.25, 0.25], [0.5, 0.25, 0.125, 0.125], [0.5, 0.5, 0, 0]);
    const temperatures = adaptiveTemperatures(outputs, { by: 'entropy', range });
    // H = 2, 1.75 and 1 bits, of log₂ 4 = 2
    for (const [i, expected] of [1, 1 + 4 * 0.125, 1 + 4 * 0.5].entries()) {
      expect(temperatures[i]).toBeCloseTo(expected, 14);
    }
  });

  test.each(measures)('stays in the range and reaches both ends, by %s', (by) => {
    const [low, high] = [1e-6, 1e6]; // a range in which the rounding of a certainty is visible
    for (let n = 2; n < 60; n++) {
      const rows = matrix(Array(n).fill(0.3), [1000, ...Array(n - 1).fill(0)]);
      for (const range of [[low, high] as const, [high, low] as const]) {
        const temperatures = adaptiveTemperatures(rows, { by, range });
        for (const [i, temperature] of temperatures.entries()) {
          expect(temperature).toBeGreaterThanOrEqual(low);
          expect(temperature).toBeLessThanOrEqual(high);
          expect(Math.abs(temperature - range[i]!)).toBeLessThan(1e-14 * high);
        }
      }
    }
  });

  test.each(measures)('regards extreme logits and excluded classes as certain, by %s', (by) => {
    const certain = matrix([1e4, 0, -1e4], [-Infinity, 0, -Infinity], [1e308, -1e308, 0]);
    for (const sure of adaptiveTemperatures(certain, { by, range: [0.5, 3] })) {
      expect(sure).toBeCloseTo(3, 14);
    }
  });

  test.each(measures)('softens uncertain rows if the range descends, by %s', (by) => {
    const outputs = matrix([0, 1, 2], [0, 0, 1], [5, 0, -5]);
    const up = adaptiveTemperatures(outputs, { by, range: [1, 4] });
    const down = adaptiveTemperatures(outputs, { by, range: [4, 1] });
    for (const [i, temperature] of up.entries()) expect(temperature + down[i]!).toBeCloseTo(5, 14);
    expect(adaptiveTemperatures(outputs, { by, range: [2, 2] })).toEqual(Float64Array.of(2, 2, 2));
  });

  test('distinguishes rows of equal confidence by their entropy', () => {
    const outputs = logits([0.5, 0.5, 0], [0.5, 0.25, 0.25]);
    const [first, second] = adaptiveTemperatures(outputs, { by: 'confidence', range });
    expect(first).toBeCloseTo(second!, 14);
    const [narrow, wide] = adaptiveTemperatures(outputs, { by: 'entropy', range });
    expect(narrow).toBeGreaterThan(wide! + 0.1);
  });

  test.each(measures)('keeps its precision for nearly equal logits, by %s', (by) => {
    // For logits ±x of two classes: c = tanh x by confidence, and x² / (2 log 2) + … by entropy.
    const x = 2 ** -20;
    const [temperature] = adaptiveTemperatures(matrix([x, -x]), { by, range: [1, 2 ** 30] });
    const certainty = (temperature! - 1) / (2 ** 30 - 1);
    const expected = by === 'confidence' ? Math.tanh(x) : (x * x) / (2 * Math.LN2);
    expect(certainty / expected).toBeCloseTo(1, 6);
  });

  test('accepts float32 and matrices without rows, and does not change its input', () => {
    const outputs = Matrix.fromRows([[1, 2, 0]]);
    const before = outputs.clone();
    const single = adaptiveTemperatures(outputs, { by: 'entropy', range });
    expect(outputs).toEqual(before);
    expect(single).toEqual(adaptiveTemperatures(matrix([1, 2, 0]), { by: 'entropy', range }));
    expect(adaptiveTemperatures(Matrix.zeros(0, 3), { by: 'entropy', range })).toHaveLength(0);
  });
});

describe('adaptiveTemperatures refuses', () => {
  const outputs = matrix([1, 2], [3, 4]);
  const options = { by: 'entropy', range };
  const impossible = matrix([1, 2], [-Infinity, -Infinity]);

  test.each<[string, readonly unknown[], object]>([
    ['an array', [[[1, 2]], options], { code: 'WRONG_TYPE', argument: 'outputs' }],
    [
      'a single class',
      [Matrix.zeros(2, 1, float32), options],
      { code: 'SHAPE_MISMATCH', argument: 'outputs' },
    ],
    ['no options', [outputs], { code: 'WRONG_TYPE', argument: 'options' }],
    [
      'another option',
      [outputs, { ...options, low: 1 }],
      { code: 'UNKNOWN_OPTION', argument: 'options' },
    ],
    [
      'another measure',
      [outputs, { ...options, by: 'margin' }],
      { code: 'OUT_OF_RANGE', argument: 'by' },
    ],
    ['no measure', [outputs, { range }], { code: 'WRONG_TYPE', argument: 'by' }],
    ['no range', [outputs, { by: 'entropy' }], { code: 'WRONG_TYPE', argument: 'range' }],
    [
      'a range of three',
      [outputs, { ...options, range: [1, 2, 3] }],
      { code: 'WRONG_TYPE', argument: 'range' },
    ],
    [
      'a range from 0',
      [outputs, { ...options, range: [0, 4] }],
      { code: 'OUT_OF_RANGE', argument: 'range[0]' },
    ],
    [
      'a range without end',
      [outputs, { ...options, range: [1, Infinity] }],
      { code: 'OUT_OF_RANGE', argument: 'range[1]' },
    ],
    [
      'a range in words',
      [outputs, { ...options, range: [1, '4'] }],
      { code: 'WRONG_TYPE', argument: 'range[1]' },
    ],
  ])('%s', (_, call, expected) => {
    const compute = () =>
      adaptiveTemperatures(...wrong<Parameters<typeof adaptiveTemperatures>>(call));
    expect(refusal(compute)).toMatchObject({ operation: 'adaptiveTemperatures', ...expected });
  });

  test.each(measures)('invalid numbers, by %s', (by) => {
    const call = (rows: Matrix<Float64Array>) => () => adaptiveTemperatures(rows, { by, range });
    const place = { argument: 'outputs', row: 1 };
    expect(refusal(call(matrix([1, 2], [3, Number.NaN])))).toMatchObject({
      ...place,
      code: 'NOT_FINITE',
      column: 1,
    });
    expect(refusal(call(matrix([1, 2], [Infinity, 4])))).toMatchObject({
      ...place,
      code: 'NOT_FINITE',
      column: 0,
    });
    expect(refusal(call(impossible))).toMatchObject({ ...place, code: 'RULED_OUT' });
  });
});
