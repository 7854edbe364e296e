import { expect, test } from 'vitest';
import { bm25 } from '../../examples/related-pages/bm25.js';
import { along, mainDirections } from '../../examples/related-pages/directions.js';
import { firstTen, runFold } from '../../examples/related-pages/experiment.js';
import { METHODS } from '../../examples/related-pages/methods.js';
import { pack, unpack } from '../../examples/related-pages/page/data.js';
import { buildPage } from '../../examples/related-pages/page.js';
import type { Pages } from '../../examples/related-pages/pages.js';
import { best } from '../../examples/related-pages/ranking.js';
import { ridge } from '../../examples/related-pages/ridge.js';
import { embedder, sizeOf, store } from '../../examples/related-pages/stored.js';
import { WordVectors } from '../../examples/related-pages/student.js';
import { featuresOf, vocabularyOf } from '../../examples/related-pages/words.js';
import { Random } from '../../examples/shared/random.js';

const sum = (values: Iterable<number>): number => [...values].reduce((total, x) => total + x, 0);

test('the weight of a word grows with its count in a text, and falls with the number of texts', () => {
  const vocabulary = vocabularyOf(['red Red blue', 'red', 'red green-blue', 'x red'], 2);
  expect([...vocabulary.keys()]).toEqual(['red', 'blue']); // 'x' is no word
  const { indices, values } = featuresOf('Blue blue red pink', vocabulary);
  expect(indices).toEqual([1, 0]);
  expect(values[0]).toBe(1); // red is in every text, and has weight 0
  expect(values[1]).toBe(0);
});

test('BM25 has the scores that were computed by hand', () => {
  const search = bm25(['a1 a1 b1', 'b1 c1 d1', 'e1 f1 g1']);
  // a1 is in one of three texts, twice in the first. All texts have the mean length, so that the
  // length term is 2.
  const rare = Math.log(1 + 2.5 / 1.5);
  expect(search('a1 a1')[0]).toBeCloseTo((2 * rare * 2 * 3) / (2 + 2), 12);
  const common = Math.log(1 + 1.5 / 2.5);
  expect(search('b1 zz')).toEqual([common, common, 0].map((x) => expect.closeTo(x, 12)));
});

test('main directions are the directions of the largest sum of squares', () => {
  const rows = Float32Array.of(3, 0, 4, 0, 0.5, 0, -6, 0, -8, 0, 0.1, 0);
  const directions = mainDirections(rows, 3, 2, new Random(1, 'directions'));
  const [first, second] = [directions.subarray(0, 3), directions.subarray(3)];
  expect([...first].map(Math.abs)).toEqual([0.6, 0, 0.8].map((x) => expect.closeTo(x, 6)));
  expect(Math.abs(second[1]!)).toBeCloseTo(1, 6);
  expect(Math.abs(along(rows, 3, directions)[0]!)).toBeCloseTo(5, 6);
});

test('ridge regression has the solution that was computed by hand', () => {
  const samples = [
    { indices: [0], values: [2] },
    { indices: [1], values: [1] },
    { indices: [0, 1], values: [1, 1] },
  ];
  // XᵀX + 1 = [[6, 1], [1, 3]] and Xᵀ targets = [[5], [4]]
  const weights = ridge(samples, 2, Float32Array.of(2, 3, 1), 1);
  expect(weights[0]).toBeCloseTo((3 * 5 - 4) / 17, 6);
  expect(weights[1]).toBeCloseTo((6 * 4 - 5) / 17, 6);
});

test("the gradient of word vectors is the derivative of a text's embedding", () => {
  const samples = [
    { indices: [0, 2], values: [0.5, 2] },
    { indices: [2], values: [1] },
  ];
  const student = WordVectors.random(3, 2, new Random(1, 'student'));
  const slopes = Float32Array.of(1, 2, 3, 4);
  const gradient = student.backward(samples, slopes);
  expect([...gradient]).toEqual([0.5, 1, 0, 0, 5, 8]);
  const value = sum(student.forward(samples).map((x, k) => x * slopes[k]!));
  expect(sum(gradient.map((x, k) => x * student.weights[k]!))).toBeCloseTo(value, 5);
});

test('a stored student returns nearly the embeddings of the original', () => {
  const texts = ['red green', 'green blue blue', 'blue red', 'red'];
  const vocabulary = vocabularyOf(texts, 1);
  const student = WordVectors.random(vocabulary.size, 16, new Random(1, 'student'));
  const stored = store(student, vocabulary);
  expect(sizeOf(stored)).toBe(3 * (16 + 4) + 'red\ngreen\nblue'.length);
  const exact = student.forward([featuresOf(texts[1]!, vocabulary)]);
  const embedded = embedder(stored)(texts[1]!);
  const length = Math.hypot(...exact);
  expect(sum(embedded.map((x, k) => (x * exact[k]!) / length))).toBeGreaterThan(0.9999);
  expect([...embedder(unpack(pack(stored)))(texts[1]!)]).toEqual([...embedded]);
  expect([...embedder(stored)('unknown')]).toEqual(Array(16).fill(0));
});

/**
 * Pages of ten topics, each with words of its own and with common words. The teacher knows the
 * topics.
 */
function makePages(): Pages {
  const random = new Random(1, 'pages');
  const topics = Array.from({ length: 120 }, (_, page) => page % 10);
  const texts = topics.map((topic) =>
    Array.from({ length: 30 }, () =>
      random.uniform() < 0.4 ? `topic${topic}word${random.below(8)}` : `word${random.below(40)}`,
    ).join(' '),
  );
  const rows = topics.map((topic) => {
    const row = Array.from({ length: 96 }, (_, k) => (k === topic ? 4 : 0) + 0.1 * random.normal());
    return row.map((value) => value / Math.hypot(...row));
  });
  const titles = topics.map((topic, page) => `Page ${page} of topic ${topic}`);
  return { titles, texts, embeddings: Float32Array.from(rows.flat()) };
}

test('students find pages of the same topic for an unseen page', () => {
  const pages = makePages();
  const settings = { seed: 1, folds: 5, pace: 0.1 };
  const fold = runFold(pages, METHODS, 0, settings);
  expect(fold.seen.length).toBe(96);
  expect([...fold.seen, ...fold.unseen].sort((left, right) => left - right)).toEqual([
    ...pages.texts.keys(),
  ]);
  const ofTopic = (found: readonly number[], page: number) =>
    found.filter((other) => other % 10 === page % 10).length;
  for (const page of fold.unseen) {
    expect(ofTopic(firstTen(pages, page, fold.seen), page)).toBeGreaterThan(5);
    const search = embedder(fold.students[1]!);
    const own = search(pages.texts[page]!);
    const scores = pages.texts.map((text) => sum(search(text).map((x, k) => x * own[k]!)));
    expect(ofTopic(best(scores, fold.seen), page)).toBeGreaterThan(5);
  }
  const names = [...fold.scores.keys()];
  expect(names).toEqual([
    'teacher, along its 64 main directions',
    ...METHODS.map(({ name }) => name),
    'BM25, no teacher',
  ]);
  expect(fold.scores.get(names[0]!)!.shared).toBeGreaterThan(0.8);
  expect(fold.scores.get(names[0]!)!.title).toBeUndefined();
  expect(runFold(pages, METHODS, 0, settings)).toEqual(fold);
  expect(
    runFold(pages, METHODS, 1, settings).unseen.filter((p) => fold.unseen.includes(p)),
  ).toEqual([]);
});

test('the page needs no other file, for any title', async () => {
  const vocabulary = vocabularyOf(['red', 'blue'], 1);
  const student = store(WordVectors.random(2, 4, new Random(1, 'student')), vocabulary);
  const titles = ['</script><script>throw 1</script>', 'Blue $& <!-- script -->'];
  const data = { titles, texts: ['red', 'blue'], seen: [1], unseen: [0], ideal: [[1]] };
  const page = await buildPage({ ...data, student: pack(student) });
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page).not.toMatch(/(src|href)="(?!data:)/);
  const [, json] = /id="data">(.*?)<\/script>/.exec(page)!;
  expect(JSON.parse(json!)).toMatchObject(data);
});
