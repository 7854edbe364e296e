import { createBar, Pace } from '../shared/progress.js';
import { whenStopped } from '../shared/stopped.js';
import { jobsOf } from './jobs.js';
import { isDone, type Labelling, openStore, runJob, stoppedAt } from './labelling.js';

export interface Settings {
  /** Number of concurrent requests to the teacher. */
  readonly concurrency: number;
  /** Number of documents after which the store is flushed to disk. */
  readonly size: number;
}

/** Labels all documents in this process. A restart continues with the missing documents. */
export async function labelInProcess(
  name: string,
  labelling: Labelling,
  folder: string,
  { concurrency, size }: Settings,
): Promise<void> {
  const { keys } = labelling;
  const store = await openStore(labelling, folder);
  const before = keys.filter((key) => store.has(key)).length;
  const start = performance.now();
  const pace = new Pace();
  const bar = process.stdout.isTTY
    ? createBar('{name} [{bar}] {value}/{total} documents, {rate} a second, {eta_formatted} left')
    : undefined;
  bar?.start(keys.length, before, { name, rate: 0 });
  let [done, onDisk] = [before, before];
  const rate = () => ((done - before) / ((performance.now() - start) / 1000)).toFixed(1);
  const removeHandler = whenStopped(() => {
    bar?.stop();
    return stoppedAt(onDisk, keys.length);
  });
  try {
    for (const job of jobsOf(keys.length, size).filter((job) => !isDone(labelling, store, job))) {
      await runJob(labelling, store, job, concurrency, () => {
        done++;
        bar?.update(done, { rate: rate() });
        if (bar || !pace.isDue()) return;
        console.log(`${name}: ${done} of ${keys.length} documents, ${rate()} a second`);
      });
      onDisk = done;
    }
  } finally {
    bar?.stop();
    removeHandler();
    await store.close();
  }
  const earlier = before > 0 ? `, ${before} of them from earlier runs` : '';
  console.log(`${name}: ${keys.length} documents${earlier}, ${rate()} a second`);
}
