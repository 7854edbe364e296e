import { parseOptions, UserError } from './commandLine.js';

const OPTIONS = {
  quick: {
    type: 'boolean',
    default: false,
    about: 'a short run, which only shows that the example works',
  },
  seed: { type: 'string', default: '1', about: 'the first seed, an integer' },
} as const;

/**
 * Reads the options of every example: `--quick` for a short run without meaningful results, and
 * `--seed` for the first seed.
 */
export function readOptions(): { quick: boolean; seed: number } {
  const { quick, seed } = parseOptions(OPTIONS);
  // With at most 15 digits, the seeds that follow are exact integers, too.
  if (!/^-?\d{1,15}$/.test(seed)) {
    throw new UserError(`--seed must be an integer of at most 15 digits, got "${seed}"`);
  }
  return { quick, seed: Number(seed) };
}
