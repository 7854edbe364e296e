import type { Matrix } from 'knowledge-distillation';
import { openTeacherStore } from 'knowledge-distillation/store';
import { METHODS } from '../labelling/methods.js';
import { textOf } from '../labelling/training.js';
import { Random } from '../shared/random.js';
import { countLabels, type TokenBatch, TokenStudent } from '../shared/tokenStudent.js';
import type { PartEvaluation, Request, WorkerSettings } from './messages.js';

/**
 * The main program of a worker: reads its parts of a store, and evaluates the student on request.
 */
const { folder, size, rows, seed, parts, count } = JSON.parse(process.argv[2]!) as WorkerSettings;
const store = await openTeacherStore(folder);
const streams = parts.map((index) =>
  store.batches({ rows, seed, part: { index, count } })[Symbol.asyncIterator](),
);
const student = new TokenStudent(size, new Random(0, 'overwritten by each request'));
const strategy = METHODS.at(-1)!.createStrategy();
let batches: (TokenBatch | undefined)[] = [];

/**
 * Reads the next batch of each part. Returns the number of labels in each; 0 for a part that has
 * ended.
 */
async function read(): Promise<number[]> {
  const results = await Promise.all(streams.map((stream) => stream.next()));
  batches = results.map(({ done, value }) => (done ? undefined : textOf(value)));
  return batches.map((batch) => (batch ? countLabels(batch) : 0));
}

/** Evaluates each part separately; the main process adds them up. */
function evaluate(
  parameters: readonly Float32Array[],
  normalizer: number,
): (PartEvaluation | undefined)[] {
  student.parameters.forEach(({ data }: Matrix, i) => {
    data.set(parameters[i]!);
  });
  return batches.map((batch) => batch && student.evaluate(strategy, batch, normalizer));
}

process.on('message', async (request: Request) => {
  const reply =
    request.kind === 'read' ? await read() : evaluate(request.parameters, request.normalizer);
  process.send!(reply);
});
process.on('disconnect', () => process.exit());
process.send!('ready');
