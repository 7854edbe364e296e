import { join } from 'node:path';
import { openTeacherStore } from 'knowledge-distillation/store';
import { labelHere } from './here.js';
import { LiveTable } from './live.js';
import { readOptions } from './options.js';
import { openProject } from './project.js';

const options = readOptions();
const { queue, concurrency, size } = options;
const [folder, heldOutFolder] = ['training', 'held-out'].map((part) => join(options.folder, part));
const project = await openProject(options);

if (queue !== undefined && options.role === 'worker') {
  const { work } = await import('./worker.js');
  const { name, lock: lockDuration } = options;
  await work(project.training, folder!, { url: queue, name, concurrency, lockDuration });
} else {
  if (queue === undefined) {
    await labelHere('labelling', project.training, folder!, { concurrency, size });
  } else {
    const { produce } = await import('./producer.js');
    const table = new LiveTable(folder!);
    const settings = { url: queue, size, retry: options.retry };
    await produce(project.training, folder!, settings, (state) => table.show(state));
  }
  if (options.train) await train();
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
