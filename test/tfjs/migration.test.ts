import { expect, test } from 'vitest';
import { onEachBackend } from './backends.js';
import * as after from './migration/after.js';
import * as before from './migration/before.js';

onEachBackend(() => {
  test('a script with a hand-written loss trains the same model after one line is changed', async () => {
    const [byHand, byLibrary] = [await before.train(), await after.train()];
    expect(byHand).toHaveLength(20);
    expect(byHand.at(-1)).toBeLessThan(byHand[0]! / 3);
    byHand.forEach((loss, epoch) => {
      expect(Math.abs(byLibrary[epoch]! - loss)).toBeLessThan(1e-5);
    });
  });
});
