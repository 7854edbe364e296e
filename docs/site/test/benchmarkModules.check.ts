import { expect, test } from 'vitest';
import { contest } from '../.vitepress/theme/benchmark/contest.js';
import type { Answer } from '../.vitepress/theme/benchmark/contestants/contestant.js';
import { parse } from '../.vitepress/theme/benchmark/machine.js';
import {
  doubtfulSpread,
  fastestOf,
  type Group,
  type Measurement,
  ratioOf,
} from '../.vitepress/theme/benchmark/result.js';
import { DEFAULTS, fromHash, toHash } from '../.vitepress/theme/benchmark/settings.js';
import { agreementOf, figuresOf } from '../.vitepress/theme/benchmark/text.js';

// The modules of the benchmark page, without a browser.

const work = {
  rows: 1,
  columns: 2,
  student: new Float32Array(2),
  teacher: new Float32Array(2),
};
const gradient = Float32Array.of(0.5, -0.5);
const contestant = (name: string, step: () => Answer | Promise<Answer>) => ({
  library: 'this library' as const,
  name,
  load: async () => () => ({ step, select: () => {} }),
});

test('a contestant that computes something else, or fails later, is reported in its row', async () => {
  let calls = 0;
  const { measurements } = await contest(
    [
      contestant('right', () => ({ loss: 2, gradient })),
      contestant('later', async () => ({ loss: 2.001, gradient: Float32Array.of(0.5, -0.499) })),
      contestant('other loss', () => ({ loss: 2.1, gradient })),
      contestant('other gradient', () => ({ loss: 2, gradient: Float32Array.of(0.5, 0.5) })),
      contestant('no gradient', () => ({ loss: 2, gradient: Float32Array.of(Number.NaN, -0.5) })),
      contestant('short', () => ({ loss: 2, gradient: Float32Array.of(0.5) })),
      contestant('tired', () => {
        if (calls++ > 3) throw new Error('tired');
        const end = performance.now() + 130;
        while (performance.now() < end);
        return { loss: 2, gradient };
      }),
    ],
    work,
    () => {},
  );
  const reasons = measurements.map((one) => ('failed' in one ? one.failed : one.times.length));
  const other = (loss: number) => `computes something else: loss ${loss}, expected 2`;
  expect(reasons).toEqual([9, 9, other(2.1), other(2), other(2), other(2), 'tired']);
  expect(measurements[1]).toMatchObject({
    lossDifference: expect.closeTo(0.0005, 6),
    gradientDifference: expect.closeTo(0.002, 6),
  });
});

const measured = (library: Measurement['library'], times: number[]): Measurement => ({
  ...{ library, name: 'one', loss: 1, lossDifference: 0, gradientDifference: 0 },
  ...{ firstCall: 1, warmUp: 1, callsPerRound: 1, times },
});

test('ratios are medians of the ratios of rounds', () => {
  const slow = measured('jax-js', [8, 30, 5]);
  const fast = measured('jax-js', [4, 3, 20]);
  const failed: Measurement = { library: 'jax-js', name: 'gone', failed: 'why' };
  const group: Group = {
    ...{ rows: 1, columns: 2 },
    measurements: [measured('this library', [2, 3, 10, 2, 2]), slow, fast, failed],
  };
  expect(ratioOf(slow, group)).toEqual({ middle: 4, least: 0.5, most: 10 });
  expect(ratioOf(failed, group)).toBeUndefined();
  expect(fastestOf('jax-js', group)).toBe(fast); // 2, 1, 2
  expect(fastestOf('TensorFlow.js', group)).toBeUndefined();
  expect(doubtfulSpread([group])).toBeUndefined(); // distances 0, 1, 8, 0, 0
  const noisy = { ...group, measurements: [measured('this library', [2, 3, 4])] };
  expect(doubtfulSpread([group, noisy])).toBeCloseTo(1 / 3);
});

test('the figures of a busy machine say that they are doubtful, and how far they lie apart', () => {
  const figures = (own: number[]) =>
    figuresOf({
      ...{ rows: 1, columns: 2 },
      measurements: [measured('this library', own), measured('jax-js', [4, 6, 8])],
    });
  expect(figures([2, 2, 2])).toEqual([
    { value: '2 ms', caption: 'a call of this library', isDoubtful: false },
    { value: '3 ×', caption: 'as long with jax-js (one)', isDoubtful: false },
  ]);
  expect(figures([2, 3, 8])).toEqual([
    { value: '3 ms', caption: 'a call of this library: too noisy to say', isDoubtful: true },
    {
      value: '2 × (1–2)',
      caption: 'as long with jax-js (one): too noisy to say',
      isDoubtful: true,
    },
  ]);
});

test('answers agree within the largest difference, if there are two to compare', () => {
  const differing = {
    ...measured('jax-js', [1]),
    ...{ lossDifference: 0.008, gradientDifference: 3e-5 },
  };
  const failed: Measurement = { library: 'jax-js', name: 'gone', failed: 'why' };
  const agreement = (...measurements: Measurement[]) =>
    agreementOf({ rows: 1, columns: 2, measurements });
  const own = measured('this library', [1]);
  expect(agreement(failed)).toBeUndefined();
  expect(agreement(own, failed)).toBeUndefined();
  expect(agreement(own, differing, failed)).toBe(
    'The losses of all 2 agree within 8e-3, their gradients within 3e-5 of the largest element.',
  );
});

test('settings survive the address; anything else gives the defaults', () => {
  const settings = {
    sizes: [
      { rows: 1, columns: 2 },
      { rows: 3, columns: 40 },
    ],
    hasLabels: true,
  };
  expect(fromHash(toHash(settings))).toEqual(settings);
  expect(toHash(DEFAULTS)).toBe('');
  for (const hash of [
    '',
    '#',
    '#1x2',
    '#1x1,2x2',
    '#0x9,2x2',
    '#1.5x9,2x2',
    '#9999x9999,2x2',
    '#how-it-is-measured',
  ]) {
    expect(fromHash(hash)).toEqual(DEFAULTS);
  }
});

test.each([
  [
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Firefox 140.0',
    'X11; Linux x86_64; rv:140.0',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15',
    'Safari 18.3',
    'Macintosh; Intel Mac OS X 10_15_7',
  ],
  ['curl', 'unknown browser', 'unknown system'],
])('the user agent %s is %s on %s', (userAgent, browserName, system) => {
  expect(parse(userAgent)).toEqual({ browser: browserName, system });
});
