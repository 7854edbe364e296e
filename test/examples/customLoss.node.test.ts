import { expect, test } from 'vitest';
import { LAWS } from '../../examples/custom-loss/laws.js';
import { judge, METHODS } from '../../examples/custom-loss/methods.js';
import { PreferenceDistillationStrategy } from '../../examples/custom-loss/preferences.js';
import { chooseSettings, runExperiment } from '../../examples/languages/experiment.js';
import { float64, Matrix } from '../../src/index.js';

test.each(LAWS)('$name', ({ check }) => check());

test('one pair of classes has the loss that was computed by hand', () => {
  const strategy = new PreferenceDistillationStrategy<Float64Array>({ temperature: 1 });
  const student = Matrix.fromRows([[0, 0]], float64);
  // Prefers the first class to the second with 3/4.
  const teacher = Matrix.fromRows([[Math.log(3), 0]], float64);
  const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
  expect(loss).toBeCloseTo(0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5), 14);
  expect(gradient.data[0]).toBeCloseTo(0.5 - 0.75, 14);
  expect(gradient.data[1]).toBeCloseTo(0.75 - 0.5, 14);
});

test('a student of this loss ranks languages in the order of its teacher', () => {
  const { students } = runExperiment(METHODS, judge, chooseSettings(true, 1));
  const [byResponse, byPreferences, byBoth] = students.map(({ scores }) => scores[0]!);
  expect(byPreferences!.order).toBeGreaterThan(0.9);
  expect(byPreferences!.order).toBeGreaterThan(byResponse!.order);
  expect(byBoth!.order).toBeGreaterThan(byResponse!.order);
  expect(byBoth!.first).toBeGreaterThan(byPreferences!.first);
}, 60_000);
