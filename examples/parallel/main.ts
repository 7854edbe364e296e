import { openTeacherStore } from 'knowledge-distillation/store';
import { labelHere } from '../labelling/here.js';
import { openTextProject } from '../labelling/text.js';
import { readOptions } from '../shared/options.js';
import { formatTable } from '../shared/table.js';
import { type Run, train } from './training.js';

const { quick, seed } = readOptions();
const folder = `examples/parallel/stores/${quick ? 'quick' : 'full'}`;
const documents = quick ? 120 : Number.POSITIVE_INFINITY;
const { training } = await openTextProject({ quick, seed, teacher: 'local', documents });
await labelHere('labelling', training, folder, { concurrency: 4, size: 32 });

const { description } = await openTeacherStore(folder);
const size = {
  vocabulary: description.columns!,
  context: 3,
  embedding: 32,
  hidden: quick ? 16 : 48,
};
const runs: Run[] = [];
for (const workers of quick ? [1, 2] : [1, 2, 4]) {
  runs.push(await train(workers, { folder, size, rows: quick ? 128 : 256, seed }));
}

const [alone] = runs as [Run];
const rows = runs.map(({ workers, losses, seconds }) => [
  workers,
  losses.length,
  losses.at(-1)!.toFixed(6),
  losses.filter((loss, step) => loss !== alone.losses[step]).length,
  (seconds / losses.length).toFixed(3),
  (alone.seconds / seconds).toFixed(2),
]);
const head = ['workers', 'steps', 'last loss', 'steps with another loss', 's a step', 'speed-up'];
console.log(formatTable(head, rows, 0));
if (runs.some(({ losses }) => losses.some((loss, step) => loss !== alone.losses[step]))) {
  process.exitCode = 1;
}
if (quick) console.log('Few documents and a small student: this shows that it runs.');
