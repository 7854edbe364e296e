import { join } from 'node:path';
import { openTeacherStore } from 'knowledge-distillation/store';
import { formatTable } from '../shared/table.js';
import { makeCorpus, readBook } from './corpus.js';
import { labelHere } from './here.js';
import { LiveTable } from './live.js';
import { readOptions } from './options.js';
import { chooseScorer, labelText } from './teachers.js';
import { judge, METHODS, trainStudent } from './training.js';

const options = readOptions();
const { quick, seed, queue, concurrency, size } = options;
const folder = join(options.folder, 'training');
const heldOutFolder = join(options.folder, 'held-out');

const corpus = makeCorpus(readBook());
const scorer = await chooseScorer(options.teacher, corpus);
const labelling = labelText(corpus, corpus.training.slice(0, options.documents), scorer);

if (queue !== undefined && options.role === 'worker') {
  const { work } = await import('./worker.js');
  const { name, lock: lockDuration } = options;
  await work(labelling, folder, { url: queue, name, concurrency, lockDuration });
} else {
  if (queue === undefined) {
    await labelHere('labelling', labelling, folder, { concurrency, size });
  } else {
    const { produce } = await import('./producer.js');
    const table = new LiveTable(folder);
    const settings = { url: queue, size, retry: options.retry };
    await produce(labelling, folder, settings, (state) => table.show(state));
  }
  if (options.train) await train();
}

/** Labels the held-out documents as well, and shows what students learn from the store. */
async function train(): Promise<void> {
  const heldOut = labelText(corpus, corpus.heldOut.slice(0, quick ? 40 : undefined), scorer);
  await labelHere('labelling, held out', heldOut, heldOutFolder, { concurrency, size });
  const [store, heldOutStore] = [
    await openTeacherStore(folder),
    await openTeacherStore(heldOutFolder),
  ];
  await store.verify();
  const { rows, sequences, shards, bytes } = store.size;
  console.log(
    `${folder}: ${sequences} documents, ${rows} rows of ${store.description.k} classes each, ` +
      `${shards} shards, ${(bytes / 1e6).toFixed(1)} MB; all checksums hold`,
  );
  const studentSize = quick
    ? { context: 2, embedding: 16, hidden: 16 }
    : { context: 3, embedding: 32, hidden: 64 };
  const pace = { epochs: quick ? 1 : 4, rows: 512, learningRate: 0.005 };
  const table: [string, string, string][] = [];
  for (const method of METHODS) {
    const student = await trainStudent(method, store, studentSize, pace, seed);
    const { crossEntropy, agreement } = await judge(student, heldOutStore);
    table.push([method.name, crossEntropy.toFixed(3), `${(100 * agreement).toFixed(1)} %`]);
  }
  const head = ['student', 'held-out cross-entropy, nats a word', 'agreement with the teacher'];
  console.log(formatTable(head, table));
  if (quick) console.log('Few documents and one epoch: this shows that it runs.');
}
