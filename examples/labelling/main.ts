import { join } from 'node:path';
import { openTeacherStore } from 'knowledge-distillation/store';
import { openProject } from './choose.js';
import { labelHere } from './here.js';
import { LiveTable } from './live.js';
import { readOptions } from './options.js';

const options = readOptions();
const { queue, concurrency, size } = options;
const [folder, heldOutFolder] = ['training', 'held-out'].map((part) => join(options.folder, part));
const project = await openProject(options);

if (options.role === 'worker') await work();
else if ((await label()) && options.train) await train();

/** Does the queue's jobs until the process is asked to end. */
async function work(): Promise<void> {
  const { work } = await import('./worker.js');
  const { name, lock: lockDuration } = options;
  await work(project.training, folder!, { url: queue!, name, concurrency, lockDuration });
}

/** Returns whether all documents are labelled. */
async function label(): Promise<boolean> {
  if (queue === undefined) {
    await labelHere('labelling', project.training, folder!, { concurrency, size });
    return true;
  }
  const { FailedJobs, produce } = await import('./producer.js');
  const table = new LiveTable(folder!);
  const settings = { url: queue, size, retry: options.retry };
  try {
    await produce(project.training, folder!, settings, (state) => table.show(state));
    return true;
  } catch (error) {
    if (!(error instanceof FailedJobs)) throw error;
    console.error(error.message);
    process.exitCode = 1;
    return false;
  }
}

/** Labels the held-out documents as well, and shows what students learn from the store. */
async function train(): Promise<void> {
  await labelHere('labelling, held out', project.heldOut, heldOutFolder!, { concurrency, size });
  const store = await openTeacherStore(folder!);
  await store.verify();
  const { rows, sequences, shards, bytes } = store.size;
  console.log(
    `${folder}: ${sequences} documents, ${rows} rows, ${shards} shards, ` +
      `${(bytes / 1e6).toFixed(1)} MB; all checksums hold`,
  );
  console.log(await project.learn(store, await openTeacherStore(heldOutFolder!)));
  if (options.quick) console.log('Few documents and steps: this shows that it runs.');
}
