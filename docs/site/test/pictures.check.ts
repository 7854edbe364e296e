import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { drawChart } from '../../../tools/charts/chart.js';
import { PICTURES } from '../../pictures.js';

// The pictures of the guides are drawn from numbers of the library; `npm run site:pictures` writes
// them.

const guides = join(import.meta.dirname, '../../guides');

test.each(Object.entries(PICTURES))('%s shows the numbers of the library', async (name, chart) => {
  await expect(await drawChart(chart)).toMatchFileSnapshot(join(guides, 'pictures', name));
});

test('each picture is in a guide, and there are no others', () => {
  const names = Object.keys(PICTURES).sort();
  expect(readdirSync(join(guides, 'pictures')).sort()).toEqual(names);
  const texts = readdirSync(guides)
    .filter((file) => file.endsWith('.md'))
    .map((file) => readFileSync(join(guides, file), 'utf8'));
  for (const name of names) {
    expect(texts.some((text) => text.includes(`](pictures/${name})`))).toBe(true);
  }
});
