import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, expect, test, vi } from 'vitest';
import { combinations, programOf, recommend } from '../build/chooser.js';

// Every program that the chooser ends in compiles under the project's own settings and runs.

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, '.snippets-chooser');
const programs = [...new Set(combinations().map(programOf))].map((code, index) => ({
  code,
  file: join(folder, `program${index}.ts`),
}));

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const { code, file } of programs) writeFileSync(file, code);
afterAll(() => rmSync(folder, { recursive: true }));

test('the programs compile', () => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const files = programs.map(({ file }) => file);
  const program = ts.createProgram(files, {
    ...options,
    declaration: false,
    isolatedDeclarations: false,
  });
  const messages = ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  expect(messages).toEqual([]);
});

test.each(programs)('this program prints a loss and its gradient:\n$code', async ({ file }) => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import(file);
  expect(log.mock.lastCall?.[0]).toBeGreaterThan(0);
  log.mockRestore();
});

test('the answers decide', () => {
  const losses = combinations().map((answers) => recommend(answers).output.name);
  expect(new Set(losses)).toEqual(
    new Set([
      'Response',
      'UniversalLogit',
      'SimilarityDistribution',
      'Feature',
      'MarginMSE',
      'Ranking',
    ]),
  );
});
