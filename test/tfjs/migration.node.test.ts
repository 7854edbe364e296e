import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The lines of a script without its imports. */
function linesOf(script: string): string[] {
  const file = new URL(`migration/${script}.ts`, import.meta.url);
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('import '));
}

test('one line of the script changes, imports aside', () => {
  const [before, after] = [linesOf('before'), linesOf('after')];
  expect(after).toHaveLength(before.length);
  const changed = before.flatMap((line, i) => (line === after[i] ? [] : [[line, after[i]]]));
  expect(changed).toEqual([
    [
      '    loss: hintonLoss,',
      '    loss: fitLoss(tf, new ResponseDistillationStrategy({ temperature: 4 })),',
    ],
  ]);
});
