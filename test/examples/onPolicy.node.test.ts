import * as tf from '@tensorflow/tfjs-core';
import { IGNORE_INDEX } from 'knowledge-distillation';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../../examples/digits/backend.js';
import {
  decode,
  evenlySpaced,
  makeCorpus,
  sequenceStarts,
  takeSequences,
} from '../../examples/on-policy/corpus.js';
import { runExperiment, type Settings } from '../../examples/on-policy/experiment.js';
import { METHODS } from '../../examples/on-policy/methods.js';
import { LanguageModel } from '../../examples/on-policy/model.js';
import { formatScores, formatTexts } from '../../examples/on-policy/report.js';
import { continueSequences } from '../../examples/on-policy/sampling.js';
import { LENGTH, labelsOf, PROMPT, teachStudent } from '../../examples/on-policy/training.js';
import { Random } from '../../examples/shared/random.js';

beforeAll(startBackend);

/** A book of 20 chapters, made of words in random order. */
function makeBook(): string {
  const random = new Random(1, 'book');
  const words = ['the', 'whale', 'ship', 'sea', 'rolled', 'harpoon', 'sank', 'captain'];
  const chapters = Array.from({ length: 20 }, (_, i) => {
    const text = Array.from({ length: 200 }, () => words[random.below(words.length)]).join(' ');
    return `CHAPTER ${i + 1}.\n\n${text}.\n`;
  });
  return chapters.join('\n');
}

describe('the corpus', () => {
  const chapter = (number: number, text: string) => `CHAPTER ${number}.\n\n${text}\n\n\n`;

  test('holds out every tenth chapter completely', () => {
    const texts = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(200));
    const { characters, training, heldOut } = makeCorpus(
      texts.map((text, i) => chapter(i + 1, text)).join(''),
    );
    const lettersOf = (tokens: Int32Array) =>
      [...new Set(decode(tokens, characters))].filter((letter) => /[a-t]/.test(letter)).join('');
    expect(lettersOf(heldOut)).toBe('jt');
    expect(lettersOf(training)).toBe('abcdefghiklmnopqrs');
  });

  test('has a line for each paragraph, and no rare characters', () => {
    const paragraphs = Array.from({ length: 120 }, (_, i) => (i < 60 ? 'a b\na\nq' : 'b\na b'));
    const { characters, training } = makeCorpus(paragraphs.join('\n\n'));
    expect(characters).toEqual(['\n', ' ', 'a', 'b']); // q occurs 60 times
    const lines = decode(training, characters).split('\n');
    expect(lines[0]).toBe('a b a ');
    expect(lines[60]).toBe('b a b');
  });

  test('is cut into sequences that overlap, or are evenly spread', () => {
    const tokens = Int32Array.from({ length: 10 }, (_, i) => i);
    const starts = sequenceStarts(tokens, 4, 3);
    expect([...starts]).toEqual([0, 3, 6]);
    expect([...takeSequences(tokens, starts.subarray(1), 4)]).toEqual([3, 4, 5, 6, 6, 7, 8, 9]);
    expect([...evenlySpaced(tokens, 2, 3)]).toEqual([0, 1, 2, 5, 6, 7]);
  });
});

test("the logits of a position depend on the model's context, and on no later token", () => {
  const model = LanguageModel.create(5, { layers: 2, width: 4 }, new Random(1, 'weights'));
  expect(model.context).toBe(4);
  const logitsOf = (tokens: Int32Array) =>
    tf.tidy(() => model.forward(tokens, 8, model.tensors()).dataSync<'float32'>());
  const tokens = Int32Array.of(0, 1, 2, 3, 4, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3); // two sequences
  const changed = tokens.map((token, position) => (position === 2 ? 4 : token));
  const [before, after] = [logitsOf(tokens), logitsOf(changed)];
  const differing = [...tokens.keys()].filter((row) =>
    before
      .subarray(row * 5, row * 5 + 5)
      .some((logit, column) => logit !== after[row * 5 + column]),
  );
  expect(differing).toEqual([2, 3, 4, 5]);
});

describe('sampling', () => {
  /** A model whose output does not depend on the text. */
  function constant(probabilities: readonly number[]): LanguageModel {
    const size = { layers: 1, width: 2 };
    const model = LanguageModel.create(probabilities.length, size, new Random(1, 'weights'));
    for (const { value } of model.weights) value.fill(0);
    const headBias = model.weights.find(
      ({ shape }) => shape[0] === 1 && shape[1] === probabilities.length,
    );
    headBias!.value.set(probabilities.map(Math.log));
    return model;
  }

  test('draws tokens with the probabilities of the model, and does not change prompts', () => {
    const model = constant([0.5, 0.3, 0.2]);
    const prompts = new Int32Array(500 * 8).fill(2);
    const written = continueSequences(model, prompts, 8, 3, new Random(1, 'writing'));
    expect(prompts.every((token) => token === 2)).toBe(true);
    expect(written.every((token, i) => i % 8 >= 3 || token === 2)).toBe(true);
    const drawn = written.filter((_, i) => i % 8 >= 3);
    for (const [token, probability] of [0.5, 0.3, 0.2].entries()) {
      const share = drawn.filter((other) => other === token).length / drawn.length;
      // Three standard deviations of the fraction among 2500 tokens.
      expect(Math.abs(share - probability)).toBeLessThan(0.03);
    }
  });

  test('draws each token after the tokens before it', () => {
    const model = LanguageModel.create(4, { layers: 1, width: 4 }, new Random(2, 'weights'));
    for (const { value } of model.weights.slice(3)) value.fill(0); // no hidden layer
    const [embedding, head] = model.weights;
    embedding!.value.set([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    head!.value.set([0, 50, 0, 0, 0, 0, 50, 0, 0, 0, 0, 50, 50, 0, 0, 0]); // 0 → 1 → 2 → 3 → 0
    const prompts = Int32Array.of(0, 0, 0, 0, 0, 2, 0, 0, 0, 0);
    const written = continueSequences(model, prompts, 5, 1, new Random(1, 'writing'));
    expect([...written]).toEqual([0, 1, 2, 3, 0, 2, 3, 0, 1, 2]);
  });
});

test('prompts are excluded from the loss', () => {
  const sequences = Int32Array.from({ length: 2 * LENGTH }, (_, i) => i % 7);
  const labels = labelsOf(sequences, PROMPT);
  const kept = [...labels.keys()].filter((row) => labels[row] !== IGNORE_INDEX);
  expect(kept).toHaveLength(2 * (LENGTH - PROMPT));
  expect(kept[0]).toBe(PROMPT - 1); // predicts the first token that is written
  expect(kept.every((row) => labels[row] === sequences[row + 1])).toBe(true);
});

test('the mean gradient of the sampled token over all tokens is the gradient of the reverse KL', () => {
  const gradientBy = (name: string, rows: number) => {
    const { createObjective } = METHODS.find((method) => method.name === name)!;
    const objective = createObjective();
    const repeat = (row: number[]) => tf.tensor2d(Array.from({ length: rows }, () => row));
    const labels = Int32Array.from({ length: rows }, (_, i) => i);
    const student = repeat([1, 0.5, -1, 0]);
    const gradient = tf.grad((x) => objective(x as tf.Tensor2D, repeat([0, 2, -1, 1]), labels));
    return (gradient(student) as tf.Tensor2D).arraySync();
  };
  const [expected] = gradientBy('student, reverse KL', 1);
  const byToken = gradientBy('student, sampled token', 4); // divided by 4 rows
  const q = tf.softmax(tf.tensor1d([1, 0.5, -1, 0])).arraySync();
  for (let column = 0; column < 4; column++) {
    const mean = byToken.reduce((sum, row, token) => sum + q[token]! * 4 * row[column]!, 0);
    expect(mean).toBeCloseTo(expected![column]!, 6);
  }
});

test('a student of its own text writes text that its teacher finds likely; runs of a seed are the same', async () => {
  const settings: Settings = {
    seeds: [1],
    teacher: {
      size: { layers: 3, width: 16 },
      pace: { steps: 60, batch: 4, learningRate: 0.01 },
    },
    student: {
      size: { layers: 1, width: 4 },
      warmUp: { steps: 20, batch: 4, learningRate: 0.01 },
      pace: { steps: 40, batch: 4, learningRate: 0.01 },
    },
    heldOut: 32,
  };
  const results = await runExperiment(makeBook(), METHODS, settings);
  const [teacher, start, ...taught] = results.runs;
  expect(teacher!.scores.reverseKL).toBe(0);
  expect(teacher!.scores.agreement).toBe(1);
  for (const { scores } of taught) {
    expect(scores.writtenByTeacher).toBeLessThan(start!.scores.writtenByTeacher);
  }
  const again = await runExperiment(makeBook(), METHODS.slice(3, 4), settings);
  expect(again.runs.at(-1)!.scores).toEqual(taught[3]!.scores);
  expect(again.runs.at(-1)!.text).toBe(taught[3]!.text);

  const table = formatScores(results);
  for (const { name } of METHODS) expect(table).toContain(name);
  expect(table).toContain(taught[0]!.scores.heldOut.toFixed(3));
  expect(formatTexts(results)).toContain(taught[0]!.text.slice(PROMPT).trim());
}, 60_000);

test('a step leaves no tensor behind', () => {
  const { characters, training } = makeCorpus(makeBook());
  const create = (layers: number) =>
    LanguageModel.create(characters.length, { layers, width: 4 }, new Random(1, 'weights'));
  const models = { student: create(1), teacher: create(2) };
  const teach = (steps: number) => {
    const pace = { steps, batch: 2, learningRate: 0.01 };
    for (const method of METHODS) teachStudent(method, models, training, pace, 1);
  };
  teach(1);
  const { numTensors } = tf.memory();
  teach(3);
  expect(tf.memory().numTensors).toBe(numTensors);
});
