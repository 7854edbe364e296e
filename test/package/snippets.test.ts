import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, expect, test } from 'vitest';

// Every TypeScript block of the documents and every @example of the sources compiles under the
// project's own settings and runs; what it says of values, it asserts by node:assert. They are
// written to files because that is what the compiler and the test runner read.

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, '.snippets');

interface Snippet {
  readonly name: string;
  readonly code: string;
}

/** The code of a document, with its language. */
function codeOf(document: string): { language: string; code: string }[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}

function blocks(document: string): Snippet[] {
  return codeOf(document)
    .filter(({ language }) => language === 'ts')
    .map(({ code }, index) => ({ name: `${document} block ${index + 1}`, code }));
}

function sources(directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(directory, file));
}

function examples(source: string): Snippet[] {
  const text = readFileSync(join(root, source), 'utf8');
  return [...text.matchAll(/@example\n([\s\S]*?)\*\//g)].map(([, comment = ''], index) => ({
    name: `${source} example ${index + 1}`,
    code: comment.replace(/^\s*\* ?/gm, ''),
  }));
}

const guides = readdirSync(join(root, 'docs/guides'))
  .filter((file) => file.endsWith('.md'))
  .map((file) => `docs/guides/${file}`);

const snippets = [
  ...blocks('README.md'),
  ...blocks('CONTRIBUTING.md'),
  ...guides.flatMap(blocks),
  ...sources('src').flatMap(examples),
].map((snippet, index) => ({ ...snippet, file: join(folder, `snippet${index}.ts`) }));

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
// `export {}` makes a module of a snippet that imports nothing.
for (const { file, code } of snippets) writeFileSync(file, `${code}\nexport {};\n`);
afterAll(() => rmSync(folder, { recursive: true }));

test('the documents compile', () => {
  const path = join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  // A snippet declares what it shows, used or not, and exports nothing.
  const relaxed = { noUnusedLocals: false, noUnusedParameters: false, isolatedDeclarations: false };
  const program = ts.createProgram(
    snippets.map(({ file }) => file),
    { ...options, ...relaxed, declaration: false },
  );
  const messages = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const snippet = snippets.find((candidate) => candidate.file === file?.fileName);
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    const where = snippet?.name ?? relative(root, file?.fileName ?? '');
    return `${where}, line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(messages).toEqual([]);
}, 60_000);

test.each(snippets)('$name runs', async ({ file }) => {
  await expect(import(file)).resolves.toBeDefined();
});

test.each(guides)('%s has code that runs, and nothing else but commands', (guide) => {
  const languages = codeOf(guide).map(({ language }) => language);
  const allowed = guide === 'docs/guides/pytorch.md' ? ['ts', 'sh', 'py'] : ['ts', 'sh'];
  expect(languages).toContain('ts');
  expect(allowed).toEqual(expect.arrayContaining(languages));
});

test('what PyTorch prints in its guide, the library is asserted to give', () => {
  const blocks = codeOf('docs/guides/pytorch.md');
  const numbersIn = (wanted: string, line: RegExp) =>
    blocks
      .filter(({ language }) => language === wanted)
      .flatMap(({ code }) => [...code.matchAll(line)].map(([, number]) => number));
  const printed = numbersIn('py', /^print.*# (\S+)$/gm);
  expect(printed).not.toEqual([]);
  expect(printed).toEqual(numbersIn('ts', /^assert.*'(\S+)'\);/gm));
});

// An example may need more than the project installs: the code in its README is its own code.
const exampleDocuments = readdirSync(join(root, 'examples'))
  .map((name) => `examples/${name}/README.md`)
  .filter((document) => existsSync(join(root, document)) && blocks(document).length > 0);

test.each(exampleDocuments)('%s quotes its example', (document) => {
  const linesOf = (text: string) => text.split('\n').map((line) => line.trim());
  const example = sources(dirname(document)).filter((file) => !file.includes('node_modules'));
  const written = new Set(
    example.flatMap((file) => linesOf(readFileSync(join(root, file), 'utf8'))),
  );
  const quoted = blocks(document).flatMap(({ code }) => linesOf(code));
  expect(quoted.filter((line) => !written.has(line))).toEqual([]);
});
