import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Adam } from '../shared/adam.js';
import { Phase } from '../shared/progress.js';
import { Random } from '../shared/random.js';
import { TokenStudent } from '../shared/tokenStudent.js';
import { addScaled } from '../shared/vectors.js';
import type { PartEvaluation, Request, WorkerSettings } from './messages.js';

/** Number of parts of the store, which is the same for 1, 2 and 4 processes. */
const PARTS = 4;

const LEARNING_RATE = 0.005;

/** The result of a training: the loss of each step, and the time of all steps. */
export interface Run {
  readonly processes: number;
  readonly losses: readonly number[];
  readonly seconds: number;
}

/**
 * Trains a student for an epoch over the `total` rows of the store. The parts are dealt to a number
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
  /** Returns the replies of all workers: one for each part, in the order of the parts. */
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
 * Deals neighbouring parts to each worker, so that the replies of all workers in turn are in the
 * order of the parts.
 */
function dealt(worker: number, workers: number): Pick<WorkerSettings, 'parts' | 'count'> {
  const each = PARTS / workers;
  return { parts: Array.from({ length: each }, (_, i) => worker * each + i), count: PARTS };
}

/**
 * Adds the contributions in the order of the parts, so that rounding does not depend on the number
 * of processes. Each part was divided by the number of labels in all parts, so that the sum is the
 * loss of the step.
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
    { execArgv: ['--import', 'tsx'], serialization: 'advanced' }, // for typed arrays
  );
  await message(worker);
  return worker;
}

async function ask<T>(worker: ChildProcess, request: Request): Promise<T> {
  const reply = message(worker);
  worker.send(request);
  return (await reply) as T;
}

/** Returns the next message of a worker; throws if the worker ends before it. */
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
    ended.catch(() => {}); // rejects with an AbortError, which needs no handling
    abort.abort();
  }
}
