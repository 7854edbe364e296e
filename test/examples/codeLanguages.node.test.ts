import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HybridDistillationStrategy, type Matrix } from 'knowledge-distillation';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readCorpus } from '../../examples/code-languages/corpus.js';
import { METHODS } from '../../examples/code-languages/methods.js';
import { featuresOf } from '../../examples/code-languages/student.js';
import {
  type LayeredLesson,
  type Method,
  teachStudent,
} from '../../examples/code-languages/training.js';
import { compareMethods, judgeHits } from '../../examples/shared/comparison.js';
import { Random } from '../../examples/shared/random.js';
import { splitByGroup } from '../../examples/shared/split.js';
import { summarize } from '../../examples/shared/statistics.js';

describe('the corpus', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'corpus-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (file: string, lines: readonly string[]) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), lines.map((line) => `${line}\n`).join(''));
  };
  /** Returns `count` lines of 50 characters, line break included, with different words. */
  const lines = (word: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${word} ${i} `.padEnd(49, '.'));

  test('is split into runs of whole lines, at most five per file, with the language of each', () => {
    write('one/short.py', lines('short', 4)); // 200 characters
    write('one/shorter.py', lines('shorter', 3));
    write('one/long.rs', lines('long', 16 * 20));
    write('one/wide.rs', ['x'.repeat(1601)]);
    write('one/readme.txt', lines('text', 4));
    const { texts, languages } = readCorpus(folder, 10);
    expect(languages).toEqual(['py', 'rs', 'rs', 'rs', 'rs', 'rs']);
    expect(texts[0]).toBe(`${lines('short', 4).join('\n')}\n`);
    const long = `${lines('long', 16 * 20).join('\n')}\n`;
    expect(texts.slice(1).map((text) => [long.indexOf(text), text.length])).toEqual(
      [0, 4, 8, 12, 16].map((piece) => [piece * 800, 800]),
    );
  });

  test('counts a text in two files once, and ignores minified files and folders', () => {
    write('one/a.js', lines('a', 4));
    write('two/b.js', lines('a', 4));
    write('two/b.min.js', lines('b', 4));
    write('two/folder.js/c.css', lines('c', 4));
    expect(readCorpus(folder, 10).languages).toEqual(['css', 'js']);
  });

  test('has the same files in every run', () => {
    for (let i = 0; i < 20; i++) write(`one/${i}.c`, lines(`file ${i}`, 4));
    const { texts } = readCorpus(folder, 7);
    expect(texts).toHaveLength(7);
    expect(readCorpus(folder, 7).texts).toEqual(texts);
  });

  test('has all builds of a file on the same side of a split', () => {
    for (const name of ['one', '@scope/two', '@scope/three']) {
      for (let i = 0; i < 4; i++) {
        write(`${name}/src/${i}.ts`, lines(`${name} ${i} source`, 32));
        write(`${name}/lib/${i}.js`, lines(`${name} ${i} build`, 32));
        write(`${name}/lib/${i}.d.ts`, lines(`${name} ${i} types`, 32));
      }
    }
    const { texts, families } = readCorpus(folder, 100);
    const { training, heldOut } = splitByGroup(families, 0.25, new Random(1, 'split'));
    const sources = (indices: Int32Array) =>
      new Set(Array.from(indices, (i) => texts[i]!.split(' ').slice(0, 2).join(' ')));
    expect(training.length + heldOut.length).toBe(12 * 3 * 2);
    expect(sources(training).size).toBe(9);
    expect(sources(heldOut).size).toBe(3); // of 12 in all; none is on both sides
  });
});

/**
 * Texts in made-up languages with different letter frequencies, and a teacher that mistakes the
 * first language for the last.
 */
function makeLesson(): LayeredLesson & { readonly groups: Int32Array } {
  const random = new Random(1, 'texts');
  const classes = 4;
  const labels = Int32Array.from({ length: 400 }, (_, i) => i % classes);
  const texts = Array.from(labels, (label) =>
    Array.from({ length: 60 }, () => {
      const letter = random.uniform() < 0.3 ? 3 * label + random.below(3) : random.below(12);
      return String.fromCharCode(97 + letter);
    }).join(''),
  );
  const answers = labels.map((label) => label % (classes - 1));
  const oneHot = (size: number) =>
    Float32Array.from({ length: labels.length * classes }, (_, i) =>
      i % classes === answers[Math.floor(i / classes)] ? size : 0,
    );
  return {
    features: texts.map(featuresOf),
    labels,
    groups: Int32Array.from(labels.keys()),
    teacherLogits: oneHot(6),
    teacherHidden: oneHot(1),
  };
}

test('students learn their targets: the languages, or the classes of their teacher', () => {
  const lesson = makeLesson();
  const pace = { steps: 150, batch: 32, learningRate: 0.005 };
  const teach = (method: Method, training: Int32Array, seed: number) =>
    teachStudent(method, lesson, training, pace, seed);
  const settings = { heldOutFraction: 0.25, seeds: [1] };
  const { students } = compareMethods(METHODS, lesson, lesson.groups, teach, judgeHits, settings);
  const [byLabels, byResponse, byBoth] = students.map(({ scores }) => scores[0]!);
  expect(byLabels!.accuracy).toBeGreaterThan(0.9);
  for (const unlabelled of [byResponse!, byBoth!]) {
    expect(unlabelled.agreement).toBeGreaterThan(0.9);
    expect(unlabelled.accuracy).toBeLessThan(0.9);
  }
}, 60_000);

test("the teacher's hidden layer is standardized over the training samples", () => {
  const lesson = makeLesson();
  const training = lesson.groups.filter((index) => index % 8 !== 1);
  const pace = { steps: 1, batch: training.length, learningRate: 0.005 };
  const computeLayerwise = vi.spyOn(HybridDistillationStrategy.prototype, 'computeLayerwise');
  teachStudent(METHODS[2]!, lesson, training, pace, 1);
  const [[, { hidden }]] = computeLayerwise.mock.calls as [[unknown, Record<string, Matrix>]];
  computeLayerwise.mockRestore();
  expect(hidden!.rows).toBe(training.length);
  const rows = hidden!.toRows();
  for (let column = 0; column < 3; column++) {
    const { mean, deviation } = summarize(rows.map((row) => row[column]!));
    expect(mean).toBeCloseTo(0, 5);
    expect(deviation).toBeCloseTo(1, 5);
  }
  expect(rows.every((row) => row[3] === 0)).toBe(true); // a unit that is always 0 is not scaled
});
