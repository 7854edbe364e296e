import { afterEach, expect, test } from 'vitest';
import { describeOptions, parseOptions, UserError } from '../../examples/shared/commandLine.js';
import { readOptions } from '../../examples/shared/options.js';

const { argv } = process;

afterEach(() => {
  process.argv = argv;
});

function readFrom(...given: readonly string[]): ReturnType<typeof readOptions> {
  process.argv = ['node', 'main.ts', ...given];
  return readOptions();
}

test('the defaults are a full run of the first seed', () => {
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

test('refuses an unknown option, and quotes it', () => {
  expect(() => readFrom('--fast')).toThrow(UserError);
  expect(() => readFrom('--fast')).toThrow(/'--fast'.*--help lists the options/);
});

test('describes each option with its default', () => {
  const options = {
    port: { type: 'string', default: '8000', about: 'where it listens' },
    queue: { type: 'string', about: 'address' },
    quick: { type: 'boolean', default: false, about: 'short' },
  } as const;
  expect(describeOptions(options).split('\n').slice(1)).toEqual([
    '  --port …   where it listens (8000)',
    '  --queue …  address',
    '  --quick    short',
  ]);
  expect(parseOptions(options, ['--quick'])).toEqual({ port: '8000', quick: true });
});
