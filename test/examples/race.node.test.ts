import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { startBackend } from '../../examples/digits/backend.js';
import type { Digits } from '../../examples/digits/data.js';
import { PIXELS, toRows } from '../../examples/digits/images.js';
import { RecordedOutputs } from '../../examples/digits/recorded.js';
import { chooseDigits, chooseSamples, splitDigits } from '../../examples/race/assets/digits.js';
import { ALL_BYTES, decodeDigits, encodeDigits } from '../../examples/race/assets/encoding.js';
import { LABELS_ONLY, PRESETS, TEACHERS_ANSWERS } from '../../examples/race/page/presets.js';
import { RESULTS } from '../../examples/race/results.js';
import { Conversation } from '../../examples/race/worker/conversation.js';
import type { Recipe, Report, Request, Snapshot } from '../../examples/race/worker/protocol.js';
import { LAP } from '../../examples/race/worker/settings.js';
import { Random } from '../../examples/shared/random.js';
import { mostLikelyOf } from '../../examples/shared/statistics.js';

const { recipe: RECIPE } = PRESETS.find(({ name }) => name === 'TinyBERT-like')!;
const OPEN: Request = { kind: 'open', seed: 1, recipe: RECIPE };

let digits: ReturnType<typeof chooseDigits>;
let meet: Request;
/** The images of the page, and fewer of them, which are prepared in less time. */
let prepare: Request;
let prepareFew: Request;
let samples: readonly Float32Array[];

beforeAll(async () => {
  await startBackend();
  digits = chooseDigits();
  const file = readFileSync(new URL('../../examples/race/assets/teacher.bin', import.meta.url));
  meet = { kind: 'meet', weights: new Float32Array(Uint8Array.from(file).buffer) };
  prepare = prepareOf(3000, 500);
  prepareFew = prepareOf(600, 100);
  const { images } = asLoaded(chooseSamples(digits.heldOut));
  samples = Array.from({ length: 10 }, (_, digit) =>
    toRows(images.subarray(digit * PIXELS, (digit + 1) * PIXELS)),
  );
}, 120_000);

function prepareOf(trainingImages: number, heldOutImages: number): Request {
  const first = (count: number, { images, labels }: Digits): Uint8Array =>
    encodeDigits({ images: images.subarray(0, count * PIXELS), labels: labels.subarray(0, count) });
  return {
    kind: 'prepare',
    training: first(trainingImages, digits.training),
    heldOut: first(heldOutImages, digits.heldOut),
  };
}

function asLoaded(digits: Digits): Digits {
  return decodeDigits(encodeDigits(digits));
}

/** A hash of a snapshot's content. */
function bitsOf({ parameters, ...others }: Snapshot): string {
  const hash = createHash('sha256').update(JSON.stringify(others));
  for (const { value, mean, square } of parameters) hash.update(value).update(mean).update(square);
  return hash.digest('hex');
}

type ReportOf<Kind extends Report['kind']> = Extract<Report, { readonly kind: Kind }>;

/** A page with a conversation of its own. */
class Page {
  readonly reports: Report[] = [];
  readonly #conversation = new Conversation(
    (report) => this.reports.push(structuredClone(report)),
    async () => undefined,
  );

  constructor(request: Request, images = prepareFew) {
    this.send(meet, images, request);
  }

  send(...requests: readonly Request[]): void {
    for (const request of requests) this.#conversation.receive(structuredClone(request));
  }

  /** Trains up to this step, or until it fails. */
  async trainTo(step: number): Promise<void> {
    const before = this.reports.length;
    this.send({ kind: 'train', until: step });
    const isOver = (report: Report): boolean =>
      report.kind === 'failed' || (report.kind === 'step' && report.step === step);
    while (!this.reports.slice(before).some(isOver)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  all<Kind extends Report['kind']>(kind: Kind): ReportOf<Kind>[] {
    return this.reports.filter((report): report is ReportOf<Kind> => report.kind === kind);
  }

  last<Kind extends Report['kind']>(kind: Kind): ReportOf<Kind> {
    const report = this.all(kind).at(-1);
    if (!report) throw new Error(`nothing was ${kind}: ${this.reports.at(-1)?.kind}`);
    return report;
  }

  get snapshot(): Snapshot {
    this.send({ kind: 'pause' });
    return this.last('paused').snapshot;
  }
}

test('the teacher is right on digits outside of its training set', () => {
  const page = new Page(OPEN, prepare);
  const { teacher, images, labelledImages, heldOutImages } = page.last('opened').facts;
  expect(teacher.accuracy).toBeGreaterThan(0.95);
  expect([images, labelledImages, heldOutImages]).toEqual([3000, 300, 500]);
  const imagesOf = ({ images, labels }: Digits) =>
    Array.from(labels, (_, i) => images.subarray(i * PIXELS, (i + 1) * PIXELS).join());
  const seen = new Set(imagesOf(asLoaded(splitDigits().training)));
  expect(seen.size).toBeGreaterThan(7900);
  const { training, heldOut } = digits;
  expect(imagesOf(asLoaded(heldOut)).filter((image) => seen.has(image))).toEqual([]);
  expect(imagesOf(asLoaded(training)).filter((image) => !seen.has(image))).toEqual([]);
}, 120_000);

test('a student learns to agree with its teacher', async () => {
  const page = new Page(OPEN, prepare);
  await page.trainTo(120);
  const { curve } = page.snapshot;
  expect(curve.map(({ step }) => step)).toEqual([0, 20, 40, 60, 80, 100, 120]);
  const evaluated = page.all('evaluated').map(({ snapshot }) => snapshot.curve);
  expect(evaluated).toEqual(curve.map((_, last) => curve.slice(0, last + 1)));
  expect(curve[0]!.accuracy).toBeLessThan(0.2);
  expect(curve[3]!.accuracy).toBeLessThan(0.6);
  expect(curve[6]!.accuracy).toBeGreaterThan(0.7);
  expect(curve[6]!.agreement).toBeGreaterThan(0.7);
  const recorded = RESULTS.students['TinyBERT-like'].curve;
  for (const [index, { accuracy }] of curve.slice(0, 4).entries()) {
    expect(Math.abs(accuracy - recorded[index]!.accuracy)).toBeLessThan(0.03);
  }
}, 120_000);

test('the bytes of all files are known before they are loaded', () => {
  const { training, heldOut } = digits;
  const images = [training, heldOut].map((part) => deflateSync(encodeDigits(part)).length);
  const teacher = new URL('../../examples/race/assets/teacher.bin', import.meta.url);
  const sum = images[0]! + images[1]! + readFileSync(teacher).length;
  expect(Math.abs(ALL_BYTES / sum - 1)).toBeLessThan(0.01);
});

test('both lanes start from the same weights; labels only trains on labelled images alone', async () => {
  const seen = vi.spyOn(RecordedOutputs.prototype, 'of');
  const train = async (recipe: Recipe) => {
    seen.mockClear();
    const page = new Page({ kind: 'open', seed: 1, recipe });
    const { parameters } = page.snapshot;
    await page.trainTo(12);
    return { parameters, images: new Set(seen.mock.calls.flatMap(([indices]) => [...indices])) };
  };
  const labels = await train(LABELS_ONLY);
  const taught = await train(TEACHERS_ANSWERS);
  seen.mockRestore();
  expect(labels.parameters).toEqual(taught.parameters);
  expect(labels.images.size).toBeGreaterThan(290);
  expect(taught.images.size).toBeGreaterThan(500);
  const classes = digits.training.labels;
  const known = [...labels.images].map((image) => classes[image]!);
  for (let digit = 0; digit < 10; digit++) {
    expect(known.filter((label) => label === digit).length).toBeLessThanOrEqual(30);
  }
}, 120_000);

test('a training that resumes from a snapshot is the same, bit by bit', async () => {
  const teach = { kind: 'teach', recipe: { ...RECIPE, images: 'labelled' } } as const;
  const whole = new Page(OPEN);
  await whole.trainTo(20);
  whole.send(teach);
  await whole.trainTo(40);
  const first = new Page(OPEN);
  await first.trainTo(20);
  first.send(teach);
  const second = new Page({ kind: 'resume', snapshot: first.snapshot });
  expect(second.last('opened').step).toBe(20);
  expect(bitsOf(second.snapshot)).toBe(bitsOf(first.snapshot));
  await second.trainTo(40);
  expect(bitsOf(second.snapshot)).toBe(bitsOf(whole.snapshot));
  const recipes = second.snapshot.curve.map(({ recipe }) => recipe);
  expect(recipes).toEqual([RECIPE, RECIPE, teach.recipe]);
}, 120_000);

test('a training waits at the step that it may reach, and goes on once it may', async () => {
  const page = new Page(OPEN);
  const steps = async (): Promise<number[]> => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    return page.all('step').map(({ step }) => step);
  };
  page.send({ kind: 'train', until: 2 });
  expect(await steps()).toEqual([1, 2]);
  page.send({ kind: 'train', until: 1 });
  expect(await steps()).toEqual([1, 2]);
  page.send({ kind: 'train', until: 3 }, { kind: 'train', until: 5 });
  expect(await steps()).toEqual([1, 2, 3, 4, 5]);
}, 120_000);

test('a training goes on after a lap, at the floor of the learning rate', async () => {
  const page = new Page(OPEN);
  await page.trainTo(1);
  const change = async (step: number): Promise<number> => {
    const before = { ...page.snapshot, step };
    const late = new Page({ kind: 'resume', snapshot: before });
    await late.trainTo(step + 1);
    const value = (snapshot: Snapshot) => snapshot.parameters[0]!.value;
    const after = value(late.snapshot);
    return Math.hypot(...value(before).map((weight, i) => weight - after[i]!));
  };
  const [early, last, later] = [await change(LAP / 2), await change(LAP), await change(3 * LAP)];
  expect(last).toBeLessThan(early / 5);
  expect(last).toBeGreaterThan(early / 50);
  expect(later).toBeCloseTo(last, 2);
}, 120_000);

test('another recipe changes the next steps, but no learned parameter', async () => {
  const page = new Page(OPEN);
  await page.trainTo(3);
  const before = page.snapshot;
  const recipe = { ...RECIPE, weights: { response: 1, attention: 0, feature: 3 } };
  page.send({ kind: 'teach', recipe });
  expect(bitsOf(page.snapshot)).toBe(bitsOf({ ...before, recipe }));
  await page.trainTo(4);
  const { components, loss } = page.last('step');
  expect(components.map(({ name, weight }) => [name, weight])).toEqual([
    ['response', 0.25],
    ['attention', 0],
    ['feature', 0.75],
  ]);
  expect(components[0]!.weighted + components[2]!.weighted).toBeCloseTo(loss, 5);
}, 120_000);

test('another recipe of the same images goes on in the batches, and draws none of them again', async () => {
  const page = new Page(OPEN);
  await page.trainTo(25); // the labelled images are in their second pass
  const shuffle = vi.spyOn(Random.prototype, 'shuffle');
  page.send({ kind: 'teach', recipe: { ...RECIPE, temperature: 2 } });
  expect(shuffle).not.toHaveBeenCalled();
  shuffle.mockRestore();
  expect(page.reports.at(-1)).toEqual({ kind: 'taught' });
  const resumed = new Page({ kind: 'resume', snapshot: page.snapshot });
  await page.trainTo(27);
  await resumed.trainTo(27);
  expect(bitsOf(page.snapshot)).toBe(bitsOf(resumed.snapshot));
}, 120_000);

test('a recipe that the library refuses is not applied', async () => {
  const page = new Page(OPEN);
  await page.trainTo(2);
  const before = page.snapshot;
  const none = { response: 0, attention: 0, feature: 0 };
  const wrong: [Recipe, RegExp][] = [
    [{ ...RECIPE, weights: none }, /weights must have a finite sum above 0, got 0 \(0 \+ 0 \+ 0\)/],
    [{ ...RECIPE, weights: { ...none, response: Number.NaN } }, /weight must be a finite number/],
    [{ ...RECIPE, temperature: 0 }, /temperature must be a finite number > 0, got 0/],
    [{ ...RECIPE, alpha: 1.5 }, /alpha must be/],
  ];
  for (const [recipe, message] of wrong) {
    page.send({ kind: 'teach', recipe });
    expect(page.last('failed').message).toMatch(message);
    page.send({ kind: 'open', seed: 1, recipe });
    expect(page.last('failed').message).toMatch(message);
  }
  expect(page.all('failed')).toHaveLength(2 * wrong.length);
  expect(bitsOf(page.snapshot)).toBe(bitsOf(before));
});

test('a failed step pauses the training, and is repeated afterwards', async () => {
  const page = new Page(OPEN);
  await page.trainTo(2);
  page.send({ kind: 'teach', recipe: { ...RECIPE, temperature: 1e300 } });
  await page.trainTo(4);
  expect(page.last('failed').message).toContain('→ response: loss must be finite');
  page.send({ kind: 'teach', recipe: RECIPE });
  vi.spyOn(RecordedOutputs.prototype, 'of').mockImplementationOnce(() => {
    throw new Error('out of memory');
  });
  await page.trainTo(4);
  expect(page.last('failed').message).toBe('out of memory');
  expect(page.snapshot.step).toBe(2);
  await page.trainTo(4);
  const untroubled = new Page(OPEN);
  await untroubled.trainTo(4);
  expect(bitsOf(page.snapshot)).toBe(bitsOf(untroubled.snapshot));
}, 120_000);

test('an unsuitable snapshot is refused', async () => {
  const page = new Page(OPEN);
  await page.trainTo(1);
  const good = page.snapshot;
  const [first, ...others] = good.parameters;
  const broken = { ...first!, mean: first!.mean.map(() => Number.NaN) };
  const wrong: [Partial<Snapshot>, string][] = [
    [{ version: 0 }, 'the snapshot is of version 0, expected 2'],
    [{ step: -1 }, 'the snapshot is of step -1, expected 0 or more'],
    [{ parameters: others }, 'the state has 12 parameters, expected 13: another model?'],
    [{ parameters: [others[0]!, ...others] }, 'parameter 0 of the state has a value of'],
    [{ parameters: [broken, ...others] }, 'parameter 0 of the state has a mean of'],
    [{ seed: 0.5 }, 'LinearProjection: seed must be an integer, got 0.5'],
    [{ recipe: { ...RECIPE, alpha: -1 } }, 'ResponseDistillationStrategy: alpha must be'],
  ];
  for (const [change, message] of wrong) {
    page.send({ kind: 'resume', snapshot: { ...good, ...change } });
    expect(page.last('failed').message).toContain(message);
  }
  expect(page.all('failed')).toHaveLength(wrong.length);
  expect(bitsOf(page.snapshot)).toBe(bitsOf(good));
});

test('both models answer about an image', async () => {
  const page = new Page(OPEN);
  for (const pixels of samples) {
    page.send({ kind: 'ask', model: 'teacher', pixels }, { kind: 'ask', model: 'student', pixels });
  }
  const answers = page.all('answer');
  expect(answers).toHaveLength(20);
  const digits = answers
    .filter(({ model }) => model === 'teacher')
    .map(({ answer }) => answer.logits);
  const right = digits.filter((logits, digit) => mostLikelyOf(logits) === digit);
  expect(right.length).toBeGreaterThanOrEqual(9);
  for (const { logits, attention } of answers.map(({ answer }) => answer)) {
    expect(logits).toHaveLength(10);
    expect(attention).toHaveLength(2 * 16 * 16);
    const row = attention.subarray(0, 16).reduce((total, value) => total + value, 0);
    expect(row).toBeCloseTo(1, 5);
  }
  page.send({ kind: 'ask', model: 'teacher', pixels: new Float32Array(3) });
  expect(page.last('failed').message).toBe('an image must have 784 finite pixels, got 3 numbers');
});

test('a pause followed by a start leaves one training', async () => {
  const page = new Page(OPEN);
  const train: Request = { kind: 'train', until: 3 };
  page.send(train, train, { kind: 'pause' });
  await page.trainTo(5);
  expect(page.all('step').map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
});

test('no tensors accumulate', async () => {
  const page = new Page(OPEN);
  const tensors = tf.memory().numTensors;
  await page.trainTo(3);
  const { snapshot } = page;
  page.send(
    { kind: 'teach', recipe: RECIPE },
    { kind: 'ask', model: 'student', pixels: samples[0]! },
    { kind: 'resume', snapshot },
  );
  await page.trainTo(6);
  expect(page.all('failed')).toEqual([]);
  expect(tf.memory().numTensors).toBe(tensors);
}, 120_000);

test('a request that comes too early is refused', () => {
  const reports: Report[] = [];
  const conversation = new Conversation(
    (report) => reports.push(report),
    async () => undefined,
  );
  const tooEarly = (request: Request, message: string): void => {
    conversation.receive(request);
    expect(reports.pop()).toEqual({ kind: 'failed', message });
  };
  const pixels = samples[0]!;
  tooEarly(prepare, 'there is no teacher yet: meet comes first');
  tooEarly(OPEN, 'there is no classroom yet: prepare comes first');
  conversation.receive(meet);
  conversation.receive({ kind: 'ask', model: 'teacher', pixels });
  expect(reports.splice(0).map(({ kind }) => kind)).toEqual(['met', 'answer']);
  tooEarly({ kind: 'ask', model: 'student', pixels }, 'there is no student yet: open comes first');
  tooEarly({ kind: 'train', until: 9 }, 'there is no student yet: open comes first');
});
