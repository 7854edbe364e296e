import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCatalogue } from '../../docs/catalogue/catalogue.js';
import { parseDocstring } from '../../docs/catalogue/docstring.js';
import { partsOf } from '../../docs/catalogue/parts.js';
import { DOCUMENTS, withTables } from '../../docs/catalogue/tables.js';
import { exportedStrategies } from '../support/exportedStrategies.js';

// The docstring of a strategy is the only description of it; the tables of the documents are
// generated from docstrings.

const catalogue = readCatalogue();

test('every exported strategy is in the catalogue', () => {
  const names = catalogue.map(({ className }) => className);
  expect(names.sort()).toEqual(exportedStrategies());
});

const documents = Object.keys(DOCUMENTS);

test.each(documents)('the tables of %s agree with the docstrings (npm run tables)', (path) => {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  expect(withTables(path)).toBe(text);
});

test('docs/strategies.md has a row for every strategy', () => {
  const text = readFileSync(new URL('../../docs/strategies.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| \[`(\w+)`\]\((\S+)\)/gm)].map(([, name, link]) => [
    name,
    link,
  ]);
  expect(rows).toEqual(catalogue.map(({ name, file }) => [name, `../${file}`]));
});

const complete = `/**
 * Matches one thing to
 * another.
 *
 * \`\`\`math
 * L = Σ_j s_j
 * \`\`\`
 *
 * Use it in tests.
 *
 * Avoid it in
 * libraries.
 *
 * - \`student\`: anything, as {@link Matrix}
 *
 * Returns a loss.
 *
 * @throws {DistillationError} \`EMPTY\`
 * @see [Nobody 2020](https://example.com), §3.2. "Things". As in
 *   the paper.
 * @reproduces TRL: \`alpha: 0\`
 * @differs Liger: its value.
 *
 * @example
 * \`\`\`ts
 * @decorator
 * console.log(1); // 1
 * \`\`\`
 */`;

function read(comment: string): { parts: ReturnType<typeof partsOf>; problems: string[] } {
  const problems: string[] = [];
  const parts = partsOf(parseDocstring(comment), (part) => problems.push(part));
  return { parts, problems };
}

test('a docstring is parsed into its parts', () => {
  expect(read(complete)).toEqual({
    problems: [],
    parts: {
      summary: 'Matches one thing to another.',
      formula: 'L = Σ_j s_j',
      use: 'Use it in tests.',
      avoid: 'Avoid it in libraries.',
      body: '- `student`: anything, as {@link Matrix}\n\nReturns a loss.',
      throws: '`EMPTY`',
      papers: [
        {
          title: 'Nobody 2020',
          work: 'Things',
          url: 'https://example.com',
          section: '§3.2',
          note: 'As in the paper.',
        },
      ],
      reproduces: [{ implementation: 'TRL', how: '`alpha: 0`' }],
      differs: [{ implementation: 'Liger', how: 'its value' }],
      example: '@decorator\nconsole.log(1); // 1',
    },
  });
});

test.each([
  ['Matches one thing to\n * another.', 'Distance of things.', 'begins with a verb'],
  ['```math', '```text', 'formula'],
  ['Use it in tests.', 'Good in tests.', '"Use it"'],
  ['Use it in tests.', `Use it${' very'.repeat(20)} often.`, 'at most 20 words after "Use it"'],
  ['Avoid it in\n', `Avoid it in${' very'.repeat(20)}\n`, 'at most 20 words after "Avoid it"'],
  ['@throws {DistillationError}', '@throws', '@throws {DistillationError}'],
  ['. "Things". As in\n *   the paper.', '', '@see [title](url)'],
  ['https://example.com', 'https://example.com/1(2)3', 'write ) in the url as %29'],
  ['@reproduces TRL', '@reproduces Nobody', 'begins with none of mdistiller'],
  ['@differs Liger: its', '@differs its', 'begins with none of mdistiller'],
  ['; // 1', ';', 'prints'],
])('a docstring without its %j is refused', (part, instead, problem) => {
  expect(complete).toContain(part);
  const { problems } = read(complete.replace(part, instead));
  expect(problems).toEqual([expect.stringContaining(problem)]);
});
