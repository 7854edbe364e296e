import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as library from '../../../src/index.js';
import { Bump, LABEL, TWO_PEAKS } from '../../bumps.js';
import { readCatalogue } from '../../catalogue/catalogue.js';
import { lossAt, lossOf, placeOf, startAt, step } from '../.vitepress/theme/laboratory/descent.js';
import {
  CLASSES,
  PRESETS,
  probabilities,
  withProbability,
} from '../.vitepress/theme/laboratory/distributions.js';
import { percent, short, withSign } from '../.vitepress/theme/laboratory/drawing.js';
import {
  descended,
  evaluate,
  inWords,
  pushes,
  type Strategies,
} from '../.vitepress/theme/laboratory/losses.js';
import {
  defaultsOf,
  fromHash,
  initialState,
  RANGES,
  type State,
  TEMPERATURES,
  toHash,
} from '../.vitepress/theme/laboratory/state.js';
import { lossesOf } from '../build/laboratory.js';

// The modules behind the page of the loss laboratory.

const losses = lossesOf(readCatalogue());
const names = losses.map(({ name }) => name);
const strategyOf = (name: string): Strategies[string] =>
  (library as unknown as Strategies)[`${name}DistillationStrategy`]!;

/** Numbers with two decimals, as an address holds them. */
const numbers = ([least, largest]: readonly [number, number]): fc.Arbitrary<number> =>
  fc.integer({ min: least * 100, max: largest * 100 }).map((each) => each / 100);
const logits = fc.array(numbers(RANGES.logit), {
  minLength: CLASSES.length,
  maxLength: CLASSES.length,
});
const states: fc.Arbitrary<State> = fc.constantFrom(...names).chain((loss) =>
  fc.record({
    loss: fc.constant(loss),
    options: fc.record(
      Object.fromEntries(
        Object.keys(defaultsOf(losses, loss)).map((key) => [key, numbers(RANGES.option)]),
      ),
    ),
    temperature: fc.constantFrom(...TEMPERATURES),
    label: fc.integer({ min: -1, max: CLASSES.length - 1 }),
    alpha: numbers(RANGES.alpha),
    teacher: logits,
    student: logits,
    left: fc.constantFrom(...names),
    right: fc.constantFrom(...names),
    descentTemperature: fc.constantFrom(...TEMPERATURES),
    mean: numbers(RANGES.mean),
    width: numbers(RANGES.width),
  }),
);

describe('the address', () => {
  test('holds every state, in characters that survive being sent', () => {
    fc.assert(
      fc.property(states, (state) => {
        const hash = toHash(state, losses);
        expect(hash).toMatch(/^[\w.,=&-]*$/);
        expect(fromHash(`#${hash}`, losses)).toEqual(state);
      }),
    );
  });

  test('is empty for a first visit', () => {
    expect(toHash(initialState(losses), losses)).toBe('');
    expect(fromHash('', losses)).toEqual(initialState(losses));
  });

  test('leads to a state, however it reads', () => {
    const keys = fc.constantFrom(...Object.keys(initialState(losses)), 'T', 'descentT', 'lambda');
    const words = fc.constantFrom(
      'NaN',
      '-1e999',
      '1e9',
      '0',
      '-0',
      '',
      'none',
      '%',
      'SkewKL',
      ',,,,,',
    );
    const texts = fc.oneof(
      fc.string(),
      fc
        .array(fc.tuple(keys, fc.oneof(words, fc.string())))
        .map((entries) => entries.map((entry) => entry.join('=')).join('&')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const state = fromHash(text, losses);
        expect(fromHash(toHash(state, losses), losses)).toEqual(state);
        expect(names).toContain(state.loss);
        for (const logits of [state.teacher, state.student]) {
          expect(logits).toHaveLength(CLASSES.length);
          expect(logits.every(Number.isFinite)).toBe(true);
        }
      }),
    );
  });

  test('holds what a hand has dragged to two decimals', () => {
    const state = { ...initialState(losses), student: [1 / 3, -1 / 3, 0, 1e-9, -1e-9, 12.345] };
    const { student } = fromHash(toHash(state, losses), losses);
    expect(student).toEqual([0.33, -0.33, 0, 0, 0, 12.35]);
  });
});

describe('a hand', () => {
  const moderate = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), {
    minLength: CLASSES.length,
    maxLength: CLASSES.length,
  });

  test('gives a class the probability that it wants, and leaves the proportions of the others', () => {
    const classes = fc.nat({ max: CLASSES.length - 1 });
    const shares = fc.double({ min: 0.05, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(
        moderate,
        classes,
        shares,
        fc.constantFrom(...TEMPERATURES),
        (logits, index, share, temperature) => {
          const scaled = logits.map((each) => each * Math.min(1, temperature / 2));
          const before = probabilities(scaled, temperature);
          const after = probabilities(
            withProbability(scaled, index, share, temperature),
            temperature,
          );
          expect(Math.abs(after[index]! - share)).toBeLessThan(0.01); // logits are rounded
          after.forEach((each, other) => {
            if (other === index) return;
            const proportion = before[other]! / (1 - before[index]!);
            expect(Math.abs(each / (1 - share) - proportion)).toBeLessThan(0.02);
          });
        },
      ),
    );
  });

  test('cannot lose a class, or drive logits away', () => {
    const moves = fc.array(
      fc.tuple(fc.nat({ max: 5 }), fc.double({ min: 0, max: 1, noNaN: true })),
    );
    fc.assert(
      fc.property(moves, (moves) => {
        let logits: readonly number[] = PRESETS['Flat teacher']!.teacher;
        for (const [index, share] of moves) logits = withProbability(logits, index, share, 2);
        for (const each of logits) expect(Math.abs(each)).toBeLessThan(40);
      }),
    );
  });
});

describe.each(names)('%s', (name) => {
  const situation = { ...PRESETS['Confident teacher']!, temperature: 2, alpha: 0, label: 0 };

  test('falls along the arrows', () => {
    const before = evaluate(strategyOf(name), {}, situation);
    const student = descended(situation.student, before, 0.01);
    const after = evaluate(strategyOf(name), {}, { ...situation, student });
    if ('refusal' in before || 'refusal' in after) throw new Error('refused');
    expect(after.value).toBeLessThan(before.value);
    pushes(before.gradient).forEach((push, index) => {
      expect(Math.sign(push)).toBe(Math.sign(student[index]! - situation.student[index]!));
      expect(Math.abs(push)).toBeLessThan(1);
    });
  });

  test('is lower after the descent than at its start', () => {
    const loss = lossOf(strategyOf(name), 1);
    let student = startAt(20, 3);
    const before = lossAt(student, loss);
    while (!student.isDone && student.steps < 300) student = step(student, loss);
    expect(lossAt(student, loss)).toBeLessThan(before);
  });
});

// The gradient of `WeightedSoftLabel` holds its weight constant, as its paper does.
test.each(names.filter((name) => name !== 'WeightedSoftLabel'))(
  '%s has the derivatives of numerical differences by the mean and the width of a student',
  (name) => {
    for (const temperature of [0.7, 3]) {
      const loss = lossOf(strategyOf(name), temperature);
      const at = (mean: number, logWidth: number) =>
        new Bump(mean, logWidth).evaluate(loss, TWO_PEAKS, LABEL);
      const [mean, logWidth, h] = [17.3, 1.2, 1e-5];
      const { slope, widthSlope } = at(mean, logWidth);
      const difference = (at(mean + h, logWidth).loss - at(mean - h, logWidth).loss) / (2 * h);
      const widthDifference = (at(mean, logWidth + h).loss - at(mean, logWidth - h).loss) / (2 * h);
      expect(slope).toBeCloseTo(difference, 5);
      expect(widthSlope).toBeCloseTo(widthDifference, 5);
    }
  },
);

test.each([
  [12, 2, 'on the larger peak only'],
  [30, 2, 'on the smaller peak only'],
  [17, 10, 'spread over both peaks'],
  [21, 2, 'mostly beside both peaks'],
  [0, 2, 'mostly beside both peaks'],
])('a student at %d of width %d is %s', (mean, width, place) => {
  expect(placeOf(startAt(mean, width), 1)).toBe(place);
});

test('a loss refuses in the words of the library', () => {
  const { label, ...rest } = { ...PRESETS['Two modes']!, temperature: 1, alpha: 0, label: -1 };
  const outcome = evaluate(strategyOf('Normalized'), {}, { ...rest, label });
  expect(outcome).toEqual({
    refusal: expect.stringContaining('labels must be a class for every row'),
  });
  expect(inWords('Normalized', outcome)).toContain('labels must be');
  const value = { value: 1.5, gradient: [-1, 0, 0, 2, 0, 0] };
  expect(inWords('Response', value)).toBe('Response: 1.50. It pushes dog up most, and cat down.');
});

test('numbers are short and have true minus signs', () => {
  expect([0, 0.004, 0.5, 0.995, 1].map(percent)).toEqual(['<1', '<1', '50', '>99', '>99']);
  expect([0, -0.001, -1.5, 123.4, 56789].map(short)).toEqual([
    '0.00',
    '0.00',
    '−1.50',
    '123',
    '5.7e+4',
  ]);
  expect([0, -0.001, 0.001, -1.5, 1.5].map(withSign)).toEqual([
    '0.00',
    '0.00',
    '0.00',
    '−1.50',
    '+1.50',
  ]);
});
