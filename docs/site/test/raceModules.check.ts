import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TEACHERS_ANSWERS } from '../../../examples/race/page/presets.js';
import { Race, type Run } from '../../../examples/race/page/race.js';
import { Student } from '../../../examples/race/page/student.js';
import type {
  Facts,
  Recipe,
  Report,
  Request,
  Snapshot,
} from '../../../examples/race/worker/protocol.js';

vi.mock('../../../examples/race/page/files.js', () => ({ progress: { value: 1 } }));

/** The store of the browser, which all tabs share. */
const stored = vi.hoisted(() => new Map<string, unknown>());
vi.mock('../../../examples/race/page/storage.js', () => ({
  save: (key: string, value: unknown) => stored.set(key, value),
  change: (key: string, changed: (value: unknown) => unknown) =>
    stored.set(key, changed(stored.get(key))),
  forget: (key: string) => stored.delete(key),
}));

/** A worker that notes its requests, and replies only when it is told to. */
class SilentWorker {
  static last: SilentWorker;
  readonly requests: Request[] = [];
  onmessage: ((event: { data: Report }) => void) | undefined;

  constructor() {
    SilentWorker.last = this;
  }

  postMessage(request: Request): void {
    this.requests.push(request);
  }

  terminate(): void {}

  reply(report: Report): void {
    this.onmessage!({ data: report });
  }

  /** Returns the requests since the last call. */
  take(): Request[] {
    return this.requests.splice(0);
  }
}

const FACTS: Facts = {
  teacher: { accuracy: 1, parameters: 1 },
  student: { parameters: 1 },
  images: 1,
  labelledImages: 1,
  heldOutImages: 1,
};
const OPENED: Report = { kind: 'opened', step: 0, facts: FACTS };
const FILES = { training: new Uint8Array(), heldOut: new Uint8Array() };
const at = (temperature: number): Recipe => ({ ...TEACHERS_ANSWERS, temperature });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('Worker', SilentWorker);
  vi.stubGlobal('requestAnimationFrame', () => 0);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function start(snapshot?: Snapshot): { student: Student; worker: SilentWorker } {
  const student = new Student(TEACHERS_ANSWERS, () => undefined);
  if (snapshot) student.restore(snapshot);
  student.start();
  return { student, worker: SilentWorker.last };
}

test('a slider that moves faster than the worker follows sends it one recipe at a time', () => {
  const { student, worker } = start();
  student.prepare(FILES);
  worker.reply(OPENED);
  worker.take();
  for (let temperature = 1; temperature <= 9; temperature++) student.teach(at(temperature));
  expect(worker.take()).toEqual([{ kind: 'teach', recipe: at(1) }]);
  worker.reply({ kind: 'taught' });
  expect(worker.take()).toEqual([{ kind: 'teach', recipe: at(9) }]);
  worker.reply({ kind: 'taught' });
  expect(worker.take()).toEqual([]);
  student.teach(at(2));
  expect(worker.take()).toEqual([{ kind: 'teach', recipe: at(2) }]);
});

test('a recipe that is chosen while the student is being made is taught once it is there', () => {
  const { student, worker } = start();
  student.prepare(FILES);
  worker.take();
  student.teach(at(7));
  expect(worker.take()).toEqual([]);
  worker.reply(OPENED);
  expect(worker.take()).toEqual([{ kind: 'teach', recipe: at(7) }]);
});

test('a student resumes with the recipe that was chosen since its snapshot', () => {
  const snapshot: Snapshot = {
    version: 2,
    seed: 1,
    recipe: at(3),
    step: 40,
    parameters: [],
    curve: [],
  };
  const { student, worker } = start(snapshot);
  student.teach(at(5));
  student.prepare(FILES);
  expect(worker.take().at(-1)).toEqual({
    kind: 'resume',
    snapshot: { ...snapshot, recipe: at(5) },
  });
});

test('two tabs keep the earlier students of both', () => {
  const tabs = [at(2), at(3), at(4)].map((recipe) => {
    const race = new Race();
    const points = [0, 20].map((step) => ({ step, accuracy: 0.5, agreement: 0.5, recipe }));
    race.students.taught.curve.value = points;
    return race;
  });
  for (const race of tabs) race.trainNew();
  const runs = stored.get('runs') as readonly Run[];
  expect(runs.map(({ recipe }) => recipe.temperature)).toEqual([4, 3, 2]);
  expect(tabs[0]!.runs.value).toHaveLength(1);
});
