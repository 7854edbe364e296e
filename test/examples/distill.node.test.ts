import { expect, test } from 'vitest';
import { startBackend } from '../../examples/digits/backend.js';
import { split } from '../../examples/digits/data.js';
import { distillHybrid } from '../../examples/digits/hybrid.js';
import { PIXELS } from '../../examples/digits/images.js';
import { METHODS } from '../../examples/digits/methods.js';
import { readDigits } from '../../examples/digits/mnist.js';
import { chooseSettings } from '../../examples/digits/settings.js';
import { teachStudent } from '../../examples/digits/students.js';
import { recordTeacher } from '../../examples/digits/teacher.js';
import { classify } from '../../examples/digits/training.js';
import { Transformer } from '../../examples/digits/transformer.js';
import { agreement } from '../../examples/shared/statistics.js';

test('distill trains the same student as the loop of the demo', async () => {
  const seed = 3;
  const full = chooseSettings(true, seed);
  const steps = 20;
  const settings = {
    ...full,
    labelledPerClass: 5,
    student: { ...full.student, training: { ...full.student.training, steps } },
  };
  await startBackend();
  const { training, heldOut: others } = split(readDigits(), 9600, seed);
  const count = 200;
  const heldOut = {
    images: others.images.subarray(0, count * PIXELS),
    labels: others.labels.subarray(0, count),
  };
  const model = new Transformer(settings.teacher.model, seed);
  const teacher = recordTeacher(model, training, heldOut);
  const byHand = teachStudent(METHODS.at(-1)!, seed, teacher, training, heldOut, settings);

  const student = new Transformer(settings.student.model, seed);
  const { history } = await distillHybrid(student, teacher, training, settings, seed);
  for (const { name, loss } of byHand.components) {
    const losses = history[`${name}_loss`]!;
    expect(losses).toHaveLength(10);
    expect(losses.reduce((sum, each) => sum + each, 0) / 10).toBeCloseTo(loss, 12);
  }
  const classes = classify(student, heldOut);
  expect(agreement(classes, heldOut.labels)).toBe(byHand.accuracy);
  expect(agreement(classes, teacher.heldOutClasses)).toBe(byHand.agreement);
  model.dispose();
  student.dispose();
});
