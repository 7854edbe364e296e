import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Adam } from '../shared/adam.js';
import { Phase } from '../shared/progress.js';
import { Random } from '../shared/random.js';
import { TokenStudent } from '../shared/tokenStudent.js';
import { addScaled } from '../shared/vectors.js';
import type { PartEvaluation, Request, WorkerSettings } from './messages.js';

/** Parts of the store: 1, 2 or 4 processes have the same ones. */
const PARTS = 4;

const LEARNING_RATE = 0.005;

/** How a student learned: the loss of each step, and the time that the steps took. */
export interface Run {
  readonly processes: number;
  readonly losses: readonly number[];
  readonly seconds: number;
}

/**
 * Trains a student by an epoch over the `total` rows of the store, with its parts dealt to a number
 * of processes.
 */
export async function train(
  count: number,
  settings: Omit<WorkerSettings, 'parts' | 'count'>,
  total: number,
): Promise<Run> {
  const student = new TokenStudent(settings.size, new Random(settings.seed, 'student'));
  const parameters = student.parameters.map(({ data }) => data);
  const processes = await Promise.all(
    Array.from({ length: count }, (_, worker) => start({ ...settings, ...dealt(worker, count) })),
  );
  /** The replies of all workers: an entry for each part, in the order of the parts. */
  const askAll = async <T>(request: Request): Promise<T[]> => {
    const replies = await Promise.all(processes.map((worker) => ask<T[]>(worker, request)));
    return replies.flat();
  };
  const adam = new Adam(0);
  const losses: number[] = [];
  const phase = new Phase(count === 1 ? '1 process' : `${count} processes`, total);
  let done = 0;
  const begin = performance.now();
  try {
    for (;;) {
      const counts = await askAll<number>({ kind: 'read' });
      const normalizer = counts.reduce((sum, count) => sum + count, 0);
      if (normalizer === 0) break;
      const request: Request = { kind: 'evaluate', parameters, normalizer };
      const evaluations = await askAll<PartEvaluation | undefined>(request);
      const { loss, gradients } = addUp(evaluations, parameters);
      adam.step(
        parameters.map((value, i) => ({ value, gradient: gradients[i]! })),
        LEARNING_RATE,
      );
      losses.push(loss);
      done += normalizer;
      phase.update(done);
    }
  } finally {
    for (const worker of processes) worker.disconnect();
  }
  phase.finish(`${losses.length} steps, last loss ${losses.at(-1)!.toFixed(4)}`);
  return { processes: count, losses, seconds: (performance.now() - begin) / 1000 };
}

/**
 * Neighbouring parts for each worker, so that all replies one after the other are in the order of
 * the parts.
 */
function dealt(worker: number, workers: number): Pick<WorkerSettings, 'parts' | 'count'> {
  const each = PARTS / workers;
  return { parts: Array.from({ length: each }, (_, i) => worker * each + i), count: PARTS };
}

/**
 * Adds the parts up in their order: rounding is then the same, whoever evaluated them. Each was
 * divided by the labels of all of them, so that their sum is the loss of the whole step.
 */
function addUp(
  evaluations: readonly (PartEvaluation | undefined)[],
  parameters: readonly Float32Array[],
): PartEvaluation {
  const gradients = parameters.map(({ length }) => new Float32Array(length));
  let sum = 0;
  for (const evaluation of evaluations) {
    if (evaluation === undefined) continue;
    sum += evaluation.loss;
    gradients.forEach((gradient, i) => {
      addScaled(gradient, 0, 1, evaluation.gradients[i]!, 0, gradient.length);
    });
  }
  return { loss: sum, gradients };
}

async function start(settings: WorkerSettings): Promise<ChildProcess> {
  const worker = fork(
    fileURLToPath(new URL('worker.ts', import.meta.url)),
    [JSON.stringify(settings)],
    { execArgv: ['--import', 'tsx'], serialization: 'advanced' }, // typed arrays as they are
  );
  await message(worker);
  return worker;
}

async function ask<T>(worker: ChildProcess, request: Request): Promise<T> {
  const reply = message(worker);
  worker.send(request);
  return (await reply) as T;
}

/** The next message of a worker; an error if the worker ends before it. */
async function message(worker: ChildProcess): Promise<unknown> {
  const abort = new AbortController();
  const { signal } = abort;
  const ended = once(worker, 'exit', { signal }).then(([code]) => {
    throw new Error(`a worker ended with ${code}`);
  });
  try {
    const [value] = await Promise.race([once(worker, 'message', { signal }), ended]);
    return value;
  } finally {
    ended.catch(() => {}); // aborted
    abort.abort();
  }
}
