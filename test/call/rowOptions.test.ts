import { describe, expect, test } from 'vitest';
import {
  CorrelationDistillationStrategy,
  FeatureDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  LinearProjection,
  Matrix,
  MultiLevelDistillationStrategy,
  RelationalDistillationStrategy,
  ResponseDistillationStrategy,
  SparseTargets,
  UNLABELED,
} from '../../src/index.js';
import { describeKernels } from '../support/describeKernels.js';
import { refusal, wrong } from '../support/refusal.js';

// rowWeights, temperatures and rowLosses. A law proves their effect for every strategy.

type Doubles = Float64Array;

const student = Matrix.fromRows(
  [
    [0.5, -1, 2],
    [1, 0, 0],
    [0.3, 0.1, -2],
  ],
  float64,
);
const teacher = Matrix.fromRows(
  [
    [1.5, 0, -1],
    [0, 2, 1],
    [1, 1, 0],
  ],
  float64,
);
const squares = new FeatureDistillationStrategy<Doubles>();

/** The mean squares of the rows are (1 + 1 + 9) / 3, (1 + 4 + 1) / 3 and (0.49 + 0.81 + 4) / 3. */
const SQUARES = [11 / 3, 2, 5.3 / 3];

describe('The options of rows', () => {
  test('give a loss that was computed by hand', () => {
    const rowLosses = new Float64Array(3);
    const { loss, gradient, count } = squares.computeLossAndGradient(student, teacher, undefined, {
      rowWeights: [2, 0, -1],
      rowLosses,
    });
    expect(loss).toBeCloseTo((2 * SQUARES[0]! - SQUARES[2]!) / 3, 14);
    expect(count).toBe(3);
    expect(rowLosses[0]).toBeCloseTo(SQUARES[0]!, 14);
    expect(rowLosses[1]).toBe(0);
    expect(rowLosses[2]).toBeCloseTo(SQUARES[2]!, 14);
    expect(gradient.get(0, 2)).toBeCloseTo((2 * 2 * 3) / 3 / 3, 14);
    expect(gradient.toRows()[1]).toEqual([0, 0, 0]);
    expect(gradient.get(2, 1)).toBeCloseTo((-1 * 2 * -0.9) / 3 / 3, 14);
  });

  test('weight the rows in the gradient of a projection', () => {
    const strategyOf = () =>
      new FeatureDistillationStrategy<Doubles>({
        projection: new LinearProjection(3, 3, { numeric: float64, bias: true }),
      });
    const weighted = strategyOf();
    weighted.computeGradient(student, teacher, undefined, { rowWeights: [2, 0, -1] });
    const sum = weighted.parameters().map(({ gradient }) => gradient.data.map(() => 0));
    for (const [row, weight] of [2, 0, -1].entries()) {
      const one = strategyOf();
      const mask = [0, 1, 2].map((other) => (other === row ? 1 : 0));
      one.computeGradient(student, teacher, undefined, { mask, normalizer: 3 });
      for (const [i, { gradient }] of one.parameters().entries()) {
        gradient.data.forEach((value, j) => {
          sum[i]![j]! += weight * value;
        });
      }
    }
    for (const [i, { gradient }] of weighted.parameters().entries()) {
      gradient.data.forEach((value, j) => {
        expect(value).toBeCloseTo(sum[i]![j]!, 12);
      });
    }
  });

  test('reach the entries of a hybrid, whose row losses are weighted sums', () => {
    const response = new ResponseDistillationStrategy<Doubles>({ alpha: 0.4 });
    const bare: IDistillationStrategy<Doubles> = {
      temperature: 1,
      alpha: 0,
      computeLoss: (...call) => response.computeLoss(...call),
      computeGradient: (...call) => response.computeGradient(...call),
    };
    const hybrid = new HybridDistillationStrategy<Doubles>(
      [
        { strategy: response, weight: 0.5 },
        { strategy: bare, weight: 2 },
        {
          strategy: new HybridDistillationStrategy([{ strategy: squares, weight: 1 }]),
          weight: 3,
        },
      ],
      { weights: 'free' },
    );
    const labels = Int32Array.of(2, UNLABELED, 0);
    const options = { rowWeights: [2, 0.5, -1], temperatures: [1, 2, 3] };
    const ofResponse = new Float64Array(3);
    const alone = response.computeLoss(student, teacher, labels, {
      ...options,
      rowLosses: ofResponse,
    });
    const weightedSquares = squares.computeLoss(student, teacher, undefined, {
      rowWeights: options.rowWeights,
    });
    const rowLosses = new Float64Array(3);
    const { loss } = hybrid.computeLossAndGradient(student, teacher, labels, {
      ...options,
      rowLosses,
    });
    expect(loss).toBeCloseTo(2.5 * alone + 3 * weightedSquares, 12);
    for (const [row, square] of SQUARES.entries()) {
      expect(rowLosses[row]).toBeCloseTo(2.5 * ofResponse[row]! + 3 * square, 12);
    }
  });

  test('can be given by layer, as masks can', () => {
    const response = new ResponseDistillationStrategy<Doubles>();
    const hybrid = new HybridDistillationStrategy<Doubles>([
      { strategy: response, weight: 0.25 },
      { strategy: squares, weight: 0.75, layer: 'hidden' },
    ]);
    const hidden = Matrix.fromRows([[1], [3]], float64);
    const aims = Matrix.fromRows([[0], [1]], float64);
    const losses = { output: new Float64Array(3), hidden: new Float64Array(2) };
    const { loss, gradients } = hybrid.computeLayerwise(
      { output: student, hidden },
      { output: teacher, hidden: aims },
      undefined,
      {
        rowWeights: { hidden: [1, -2] },
        temperatures: { output: [1, 2, 3] },
        rowLosses: losses,
      },
    );
    const ofOutput = new Float64Array(3);
    const options = { temperatures: [1, 2, 3], rowLosses: ofOutput };
    const alone = response.computeLossAndGradient(student, teacher, undefined, options);
    expect(loss).toBeCloseTo(0.25 * alone.loss + (0.75 * (1 - 2 * 4)) / 2, 12);
    expect(gradients.hidden!.toRows()).toEqual([[0.75], [-0.75 * 2 * 2]]);
    expect([...losses.hidden]).toEqual([0.75, 3]);
    expect([...losses.output]).toEqual([...ofOutput].map((each) => 0.25 * each));
  });

  test('add the row losses of all layers in one array', () => {
    const hybrid = new HybridDistillationStrategy<Doubles>([
      { strategy: squares, weight: 0.5, layer: 'a' },
      { strategy: squares, weight: 0.5, layer: 'b' },
    ]);
    const rowLosses = new Float64Array(3);
    hybrid.computeLayerwise({ a: student, b: student }, { a: teacher, b: student }, undefined, {
      rowLosses,
    });
    for (const [row, square] of SQUARES.entries()) {
      expect(rowLosses[row]).toBeCloseTo(0.5 * square, 14);
    }
  });

  test('set the temperature at which sparse targets are read', () => {
    const sparse = SparseTargets.topK(teacher, 2, { temperature: 2 });
    const strategy = new ResponseDistillationStrategy<Doubles>();
    const call = (temperatures: number[]) =>
      strategy.computeLoss(student, sparse, undefined, { temperatures });
    const at2 = new ResponseDistillationStrategy<Doubles>({ temperature: 2 });
    expect(call([2, 2, 2])).toBe(at2.computeLoss(student, sparse));
    expect(refusal(() => call([2, 3, 2]))).toMatchObject({
      code: 'TEMPERATURE',
      hint: "take tail: 'renormalize'",
    });
    const colder = new ResponseDistillationStrategy<Doubles>({
      temperature: 1,
      teacherTemperature: 2,
    });
    const whole = SparseTargets.topK(teacher, 3, { temperature: 2 });
    expect(colder.computeLoss(student, whole)).toBeCloseTo(
      colder.computeLoss(student, teacher),
      12,
    );
  });
});

describe('The options of rows refuse', () => {
  const response = new ResponseDistillationStrategy<Doubles>();
  const call = (options: object) => () =>
    response.computeLossAndGradient(student, teacher, undefined, wrong(options));

  test.each([
    ['a weight that is NaN', { rowWeights: [1, Number.NaN, 1] }, 'rowWeights', 1],
    ['a weight that is infinite', { rowWeights: [1, 1, -Infinity] }, 'rowWeights', 2],
    ['a temperature of 0', { temperatures: [1, 0, 1] }, 'temperatures', 1],
    ['a negative temperature', { temperatures: [-1, 1, 1] }, 'temperatures', 0],
  ])('%s', (_, options, argument, row) => {
    expect(refusal(call(options))).toMatchObject({ code: 'OUT_OF_RANGE', argument, row });
  });

  test.each([
    ['too few weights', { rowWeights: [1, 2] }, 'rowWeights'],
    ['too many temperatures', { temperatures: [1, 2, 3, 4] }, 'temperatures'],
    ['losses of other rows', { rowLosses: new Float64Array(2) }, 'rowLosses'],
  ])('%s', (_, options, argument) => {
    expect(refusal(call(options))).toMatchObject({ code: 'SHAPE_MISMATCH', argument });
  });

  test.each([
    ['a weight for all rows', { rowWeights: 2 }, 'rowWeights'],
    ['no weights', { rowWeights: null }, 'rowWeights'],
    ['a weight that is a string', { rowWeights: ['1', '1', '1'] }, 'rowWeights[0]'],
    ['losses in float32', { rowLosses: new Float32Array(3) }, 'rowLosses'],
    ['no losses', { rowLosses: null }, 'rowLosses'],
  ])('%s', (_, options, argument) => {
    expect(refusal(call(options))).toMatchObject({ code: 'WRONG_TYPE', argument });
  });

  test('are not read in an excluded row', () => {
    const options = { rowWeights: [1, Number.NaN, 1], temperatures: [1, 0, 1], mask: [1, 0, 1] };
    expect(call(options)).not.toThrow();
  });

  test('row losses in the memory of an input', () => {
    const weights = new Float64Array(3).fill(1);
    expect(refusal(call({ rowWeights: weights, rowLosses: weights }))).toMatchObject({
      code: 'OVERLAP',
      argument: 'rowLosses',
    });
    expect(refusal(call({ rowLosses: student.row(0) }))).toMatchObject({ code: 'OVERLAP' });
    const gradient = new Matrix(new Float64Array(9), 3, 3);
    const rowLosses = gradient.data.subarray(3, 6);
    expect(refusal(call({ gradient, rowLosses }))).toMatchObject({ code: 'OVERLAP' });
    expect([...weights]).toEqual([1, 1, 1]);
    const projection = new LinearProjection<Doubles>(3, 3, { numeric: float64 });
    const projected = new FeatureDistillationStrategy<Doubles>({ projection });
    for (const { data } of [
      projection.parameters()[0]!.value,
      projection.parameters()[0]!.gradient,
    ]) {
      const ask = () =>
        projected.computeLoss(student, teacher, undefined, { rowLosses: data.subarray(0, 3) });
      expect(refusal(ask)).toMatchObject({ code: 'OVERLAP', argument: 'rowLosses' });
    }
  });

  test.each([
    new RelationalDistillationStrategy<Doubles>(),
    new CorrelationDistillationStrategy<Doubles>(),
    new MultiLevelDistillationStrategy<Doubles>(),
  ])('weights and losses of rows, by $name and by a hybrid of it', (strategy) => {
    const hybrid = new HybridDistillationStrategy<Doubles>([{ strategy, weight: 1 }]);
    for (const one of [strategy, hybrid]) {
      for (const [argument, value] of Object.entries({
        rowWeights: [1, 1, 1],
        rowLosses: new Float64Array(3),
      })) {
        const ask = () => one.computeLoss(student, teacher, undefined, { [argument]: value });
        expect(refusal(ask)).toMatchObject({ code: 'MISPLACED_OPTION', argument });
        expect(refusal(ask).operation).toContain(strategy.name);
      }
    }
  });

  test('temperatures, by a loss without temperature', () => {
    const temperatures = [1, 2, 3];
    const layers = [{ output: student }, { output: teacher }] as const;
    const hybridOf = (...strategies: IDistillationStrategy<Doubles>[]) =>
      new HybridDistillationStrategy<Doubles>(
        strategies.map((strategy) => ({ strategy, weight: 1 })),
        { weights: 'free' },
      );
    const misplaced = { code: 'MISPLACED_OPTION', argument: 'temperatures' };
    const relational = new RelationalDistillationStrategy<Doubles>();
    for (const strategy of [squares, relational, hybridOf(squares)]) {
      const ask = () => strategy.computeLoss(student, teacher, undefined, { temperatures });
      expect(refusal(ask)).toMatchObject(misplaced);
    }
    expect(
      refusal(() => hybridOf(squares).computeLayerwise(...layers, undefined, { temperatures })),
    ).toMatchObject(misplaced);
    const multiLevel = new MultiLevelDistillationStrategy<Doubles>();
    expect(
      refusal(() =>
        hybridOf(multiLevel).computeLoss(student, teacher, undefined, { temperatures }),
      ),
    ).toMatchObject(misplaced);
    // Beside a loss with a temperature, a loss without one ignores the option.
    const mixed = () =>
      hybridOf(response, squares).computeLoss(student, teacher, undefined, { temperatures });
    expect(mixed()).toBeCloseTo(
      response.computeLoss(student, teacher, undefined, { temperatures }) +
        squares.computeLoss(student, teacher),
      12,
    );
  });

  test('an invalid teacher temperature', () => {
    for (const teacherTemperature of [0, -1, Infinity, Number.NaN]) {
      expect(refusal(() => new ResponseDistillationStrategy({ teacherTemperature }))).toMatchObject(
        { code: 'OUT_OF_RANGE', argument: 'teacherTemperature' },
      );
    }
    const strategy = new ResponseDistillationStrategy({ temperature: 2 });
    expect(strategy.teacherTemperature).toBeUndefined();
    strategy.teacherTemperature = 4;
    expect(strategy.teacherTemperature).toBe(4);
    expect(
      refusal(() => {
        strategy.teacherTemperature = 0;
      }),
    ).toMatchObject({ argument: 'teacherTemperature' });
    strategy.teacherTemperature = undefined;
    expect(strategy.teacherTemperature).toBeUndefined();
  });
});

describeKernels('Long rows', () => {
  test('are evaluated at the temperatures of each row and of the teacher, in float32', () => {
    const wide = (seed: number) =>
      Matrix.fromRows(
        Array.from({ length: 5 }, (_, row) =>
          Array.from({ length: 37 }, (_, j) => 4 * Math.sin(seed + 7 * row + 3 * j)),
        ),
      );
    const [long, aim] = [wide(1), wide(2)];
    const temperatures = [0.5, 1, 2, 3, 7];
    const strategy = new ResponseDistillationStrategy({ teacherTemperature: 0.75 });
    const rowLosses = new Float64Array(5);
    const { gradient } = strategy.computeLossAndGradient(long, aim, undefined, {
      temperatures,
      rowLosses,
    });
    const exact = new ResponseDistillationStrategy<Doubles>({ teacherTemperature: 0.75 });
    const [long64, aim64] = [long.as(float64), aim.as(float64)];
    for (const [row, temperature] of temperatures.entries()) {
      exact.temperature = temperature;
      const mask = temperatures.map((_, other) => (other === row ? 1 : 0));
      const one = exact.computeLossAndGradient(long64, aim64, undefined, { mask, normalizer: 5 });
      expect(rowLosses[row]! / 5 / one.loss).toBeCloseTo(1, 6);
      const size = Math.max(...one.gradient.row(row).map(Math.abs));
      for (let j = 0; j < 37; j++) {
        expect((gradient.get(row, j) - one.gradient.get(row, j)) / size).toBeCloseTo(0, 5);
      }
    }
  });
});
