import { expect, test } from 'vitest';
import { Matrix, ResponseDistillationStrategy } from '../../src/index.js';
import { openTeacherStore } from '../../src/store/index.js';

declare const location: { readonly href: string };

// `servedStore` of vitest.config.ts serves the store at this address, and counts the sent bytes.
const ADDRESS = new URL('/served-store/', location.href).href;

test('a page trains from a store behind a URL, and reads only the ranges that it needs', async () => {
  const store = await openTeacherStore(ADDRESS);
  const { columns, k } = store.description;
  expect([columns, k]).toEqual([20, 4]);
  const strategy = new ResponseDistillationStrategy({ temperature: 1, alpha: 0 });
  // the student: a table with the next token's logits for each token
  const weights = Matrix.zeros(20, 20);
  const losses: number[] = [];
  let rows = 0;
  for (let epoch = 0; epoch < 3; epoch++) {
    for await (const { tokens, labels, targets } of store.batches({ rows: 64, seed: epoch })) {
      const logits = Matrix.zeros(tokens!.length, 20);
      for (const [row, token] of tokens!.entries()) logits.row(row).set(weights.row(token));
      const { loss, gradient } = strategy.computeLossAndGradient(logits, targets!, labels!);
      losses.push(loss);
      rows += tokens!.length;
      for (const [row, token] of tokens!.entries()) {
        const [weight, slope] = [weights.row(token), gradient.row(row)];
        for (let j = 0; j < 20; j++) weight[j]! -= 8 * slope[j]!;
      }
    }
  }
  expect(rows).toBe(3 * store.size.rows);
  const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  expect(mean(losses.slice(-3))).toBeLessThan(0.8 * mean(losses.slice(0, 3)));
  const response = await fetch(`${ADDRESS}sent`);
  const sent = (await response.json()) as { ranges: number; wholeShards: number };
  expect(sent.ranges).toBeGreaterThan(3);
  expect(sent.wholeShards).toBe(0);
});

test('verify() reads the shards of a URL in a browser', async () => {
  const store = await openTeacherStore(new URL(ADDRESS));
  await expect(store.verify()).resolves.toBe(undefined);
});
