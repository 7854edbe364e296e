import { parseArgs } from 'node:util';

/** What every example takes: `--quick` for a run that shows only that it runs, `--seed` for the first seed. */
export function readOptions(): { quick: boolean; seed: number } {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
  });
  // So few digits that the seeds after it are integers, too.
  if (!/^-?\d{1,15}$/.test(values.seed)) {
    throw new RangeError(`--seed must be an integer of at most 15 digits, got "${values.seed}"`);
  }
  return { quick: values.quick, seed: Number(values.seed) };
}
