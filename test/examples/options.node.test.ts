import { afterEach, expect, test } from 'vitest';
import { readOptions } from '../../examples/shared/options.js';

const { argv } = process;

afterEach(() => {
  process.argv = argv;
});

function readFrom(...given: readonly string[]): ReturnType<typeof readOptions> {
  process.argv = ['node', 'main.ts', ...given];
  return readOptions();
}

test('without options: a full run of the first seed', () => {
  expect(readFrom()).toEqual({ quick: false, seed: 1 });
  expect(readFrom('--quick', '--seed', '7')).toEqual({ quick: true, seed: 7 });
  expect(readFrom('--seed=-3').seed).toBe(-3);
});

test.each(['', ' ', 'abc', '1.5', '1e3', '0x10', 'NaN', '9007199254740991'])(
  'refuses the seed "%s"',
  (seed) => {
    expect(() => readFrom(`--seed=${seed}`)).toThrow(/--seed must be an integer/);
  },
);
