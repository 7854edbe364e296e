import { openTeacherStore } from 'knowledge-distillation/store';
import { labelInProcess } from '../labelling/inProcess.js';
import { openTextProject } from '../labelling/text.js';
import { run } from '../shared/commandLine.js';
import { readOptions } from '../shared/options.js';
import { formatTable } from '../shared/table.js';
import { type Run, train } from './training.js';

await run(async () => {
  const { quick, seed } = readOptions();
  const folder = `examples/parallel/stores/${quick ? 'quick' : 'full'}`;
  const documents = quick ? 120 : Number.POSITIVE_INFINITY;
  const { training } = await openTextProject({ quick, seed, teacher: 'local', documents });
  await labelInProcess('labelling', training, folder, { concurrency: 4, size: 32 });

  const store = await openTeacherStore(folder);
  const vocabulary = store.description.columns!;
  const size = { vocabulary, context: 3, embedding: 32, hidden: quick ? 16 : 48 };
  const settings = { folder, size, rows: quick ? 128 : 256, seed };
  const runs: Run[] = [];
  for (const processes of quick ? [1, 2] : [1, 2, 4]) {
    runs.push(await train(processes, settings, store.size.rows));
  }
  compare(runs);
  if (quick)
    console.log(
      'One and two processes, few documents: this run only shows that the example works.',
    );
});

/** Prints all runs in comparison with the first. The exit code is 1 if a loss differs. */
function compare(runs: readonly Run[]): void {
  const alone = runs[0]!;
  const differing = ({ losses }: Run) =>
    losses.filter((loss, step) => loss !== alone.losses[step]).length;
  const rows = runs.map((run) => [
    run.processes,
    run.losses.length,
    run.losses.at(-1)!.toFixed(6),
    differing(run),
    (run.seconds / run.losses.length).toFixed(3),
    (alone.seconds / run.seconds).toFixed(2),
  ]);
  const steps = ['steps', 'last loss', 'steps with another loss'];
  console.log(formatTable(['processes', ...steps, 's a step', 'speed-up'], rows, 0));
  if (runs.some((run) => differing(run) > 0)) process.exitCode = 1;
}
