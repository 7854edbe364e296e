import { join } from 'node:path';
import { openTeacherStore } from 'knowledge-distillation/store';
import { run } from '../shared/commandLine.js';
import { whenStopped } from '../shared/stopped.js';
import { openProject } from './choose.js';
import { labelInProcess } from './inProcess.js';
import { stoppedAt } from './labelling.js';
import { LiveTable } from './live.js';
import { type Options, readOptions } from './options.js';
import type { Project } from './project.js';

await run(async () => {
  const options = readOptions();
  const project = await openProject(options);
  const folder = join(options.folder, 'training');
  if (options.role === 'worker') return work(options, project, folder);
  await label(options, project, folder);
  if (options.train) await train(options, project, folder);
});

/** Takes jobs from the queue until the process is asked to end. */
async function work(options: Options, { training }: Project, folder: string): Promise<void> {
  const { work } = await import('./worker.js');
  const { queue, name, concurrency, lock: lockDuration } = options;
  await work(training, folder, { url: queue!, name, concurrency, lockDuration });
}

/** Labels all documents, in this process or with the workers of a queue. */
async function label(options: Options, { training }: Project, folder: string): Promise<void> {
  const { queue, concurrency, size, retry } = options;
  if (queue === undefined) {
    await labelInProcess('labelling', training, folder, { concurrency, size });
    return;
  }
  const { produce } = await import('./producer.js');
  const table = new LiveTable(folder);
  let done = 0;
  const removeHandler = whenStopped(() => stoppedAt(done, training.keys.length));
  await produce(training, folder, { url: queue, size, retry }, (state) => {
    ({ done } = state);
    table.show(state);
  });
  removeHandler();
}

/** Labels the held-out documents, trains students from the store, and prints their scores. */
async function train(options: Options, project: Project, folder: string): Promise<void> {
  const heldOutFolder = join(options.folder, 'held-out');
  await labelInProcess('labelling, held out', project.heldOut, heldOutFolder, options);
  const store = await openTeacherStore(folder);
  await store.verify();
  const { rows, sequences, shards, bytes } = store.size;
  console.log(
    `${folder}: ${sequences} documents, ${rows} rows, ${shards} shards, ` +
      `${(bytes / 1e6).toFixed(1)} MB; all checksums match`,
  );
  console.log(await project.learn(store, await openTeacherStore(heldOutFolder)));
  if (options.quick)
    console.log('Few documents and steps: this run only shows that the example works.');
}
