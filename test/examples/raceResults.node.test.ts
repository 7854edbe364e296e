import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TOKENS } from '../../examples/digits/images.js';
import { overlapsOf } from '../../examples/race/page/overlap.js';
import { PRESETS } from '../../examples/race/page/presets.js';
import { rightOf, WATCH } from '../../examples/race/page/watch.js';
import { withResults } from '../../examples/race/report.js';
import { aheadFrom, lastOf, type Measured, RESULTS } from '../../examples/race/results.js';
import { LAP } from '../../examples/race/worker/settings.js';
import { replacePart } from '../../examples/shared/document.js';

const { students } = RESULTS;
const labels = students['Labels only'];
const taught = students['The teacher’s answers'];

test('the README says what was recorded', () => {
  const readme = readFileSync(new URL('../../examples/race/README.md', import.meta.url), 'utf8');
  expect(withResults(readme, RESULTS)).toBe(readme);
  const other = { ...RESULTS, students: { ...students, 'Labels only': taught }, teacherLabels: 70 };
  const right = `${(100 * lastOf(taught).accuracy).toFixed(1)}\u202f%`;
  const said = withResults(readme, other);
  expect(said).toContain(`the first one is right on ${right}`);
  expect(said).toContain('learned from 70 labels');
  expect(() => replacePart(readme, 'npm run elsewhere', '')).toThrow('no place for');
});

test('every preset was trained for a lap, and no label beats 300 labels', () => {
  for (const { name } of PRESETS) expect(lastOf(students[name]).step).toBe(LAP);
  expect(lastOf(taught).accuracy - lastOf(labels).accuracy).toBeGreaterThan(0.15);
  expect(RESULTS.facts.teacher.accuracy).toBeGreaterThan(lastOf(taught).accuracy);
});

test('what there is to watch has the recorded figures', () => {
  expect(WATCH['Labels only']).toContain(`${Math.round(100 * lastOf(labels).accuracy)}\u202f%`);
  const step = Number(/after about (\d+) steps/.exec(WATCH['The teacher’s answers'])![1]);
  taught.curve.forEach((point, index) => {
    const isAhead = point.accuracy > labels.curve[index]!.accuracy;
    if (point.step >= step) expect(isAhead).toBe(true);
    else if (point.step === step - 20) expect(isAhead).toBe(false);
  });
  const { start, end } = students['TinyBERT-like'].overlap;
  const overlap = /from (\d+)\u202f% to (\d+)\u202f%/.exec(WATCH['TinyBERT-like'])!.slice(1);
  expect(overlap.map(Number)).toEqual([Math.round(100 * start), Math.round(100 * end)]);
  expect(WATCH['Hinton 2015']).toContain(rightOf('Hinton 2015'));
});

test('a student is ahead from the first step after it was last behind', () => {
  const measured = (...accuracies: number[]): Measured => ({
    curve: accuracies.map((accuracy, step) => ({ step, accuracy, agreement: 0 })),
    overlap: { start: 0, end: 0 },
  });
  const other = measured(0.1, 0.2, 0.3, 0.4);
  expect(aheadFrom(measured(0.1, 0.3, 0.2, 0.5), other)).toBe(3);
  expect(aheadFrom(measured(0.2, 0.3, 0.4, 0.5), other)).toBe(0);
  expect(aheadFrom(measured(0.2, 0.3, 0.4, 0.4), other)).toBeUndefined();
});

test('attention overlaps where both models look', () => {
  const [first, second] = [0, 1].map((column) =>
    Float32Array.from({ length: TOKENS ** 2 }, (_, place) => Number(place % TOKENS === column)),
  );
  const even = new Float32Array(TOKENS ** 2).fill(1 / TOKENS);
  const join = (...maps: Float32Array[]) => Float32Array.from(maps.flatMap((map) => [...map]));
  const overlaps = overlapsOf(join(first!, second!), join(first!, even));
  expect(overlaps).toEqual([1, 1 / TOKENS]);
  expect(overlapsOf(join(first!, first!), join(second!, second!))).toEqual([0, 0]);
});
