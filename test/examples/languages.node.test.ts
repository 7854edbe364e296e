import { expect, test } from 'vitest';
import { chooseSettings, runExperiment } from '../../examples/languages/experiment.js';
import { loadMessages } from '../../examples/languages/messages.js';
import { judgeHits } from '../../examples/shared/comparison.js';
import { METHODS } from '../../examples/shared/methods.js';
import { Random } from '../../examples/shared/random.js';
import { splitByGroup } from '../../examples/shared/split.js';
import { summarize } from '../../examples/shared/statistics.js';

test('a message is held out in all languages or in none', () => {
  const corpus = loadMessages(40);
  const { training, heldOut } = splitByGroup(corpus.messages, 0.25, new Random(1, 'split'));
  expect(training.length + heldOut.length).toBe(corpus.texts.length);
  const messagesOf = (indices: Int32Array) => new Set(indices.map((i) => corpus.messages[i]!));
  expect(messagesOf(heldOut).size).toBe(10);
  expect(messagesOf(training).size).toBe(30); // of 40 in all; none is on both sides
});

test('a student agrees with its teacher more without labels than with them', () => {
  const { teacher, students } = runExperiment(METHODS, judgeHits, {
    ...chooseSettings(true, 1),
    seeds: [1, 2, 3],
  });
  const mean = (values: readonly number[]) => summarize(values).mean;
  const [byLabels, byTeacher] = students.map(({ scores }) => ({
    accuracy: mean(scores.map(({ accuracy }) => accuracy)),
    agreement: mean(scores.map(({ agreement }) => agreement)),
  }));
  expect(byTeacher!.accuracy).toBeGreaterThan(mean(teacher.map(({ accuracy }) => accuracy)));
  expect(byTeacher!.agreement).toBeGreaterThan(0.9);
  expect(byTeacher!.agreement).toBeGreaterThan(byLabels!.agreement);
}, 60_000);
