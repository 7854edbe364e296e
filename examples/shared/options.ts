import { parseArgs } from 'node:util';

/** What every example takes: `--quick` for a run that shows only that it runs, `--seed` for the first seed. */
export function readOptions(): { quick: boolean; seed: number } {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
  });
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new RangeError('--seed must be an integer');
  return { quick: values.quick, seed };
}
