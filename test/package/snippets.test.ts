import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import ts from 'typescript';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { fenced } from '../../docs/catalogue/docstring.js';

// Every TypeScript block of the documents and every @example of the sources compiles under the
// settings of the project, runs, and prints the output in its comments. Snippets are written to
// files, since compiler and test runner read files.

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
  return [...text.matchAll(/@example\n([\s\S]*?)\*\//g)].map(([, comment = ''], index) => {
    const code = comment.replace(/^\s*\* ?/gm, '');
    return { name: `${source} example ${index + 1}`, code: fenced(code, 'ts') ?? code };
  });
}

/**
 * Returns the expected output of a snippet. It stands in a comment behind `console.log(…);`, which
 * may continue below in the same column, or in comment lines below the statement or its loop.
 */
function outputOf(code: string): string[] {
  const source = ts.createSourceFile('snippet.ts', code, ts.ScriptTarget.Latest, true);
  const lines: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node) && /^console\.log\(/.test(node.getText())) {
      lines.push(...commentsBehind(code, node.end));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return lines;
}

function commentsBehind(code: string, end: number): string[] {
  const start = code.lastIndexOf('\n', end - 1) + 1;
  const [line = '', ...below] = code.slice(start).split('\n');
  const [, behind] = /^ *\/\/ ?(.*)$/.exec(line.slice(end - start)) ?? [];
  if (behind !== undefined) {
    const column = line.indexOf('//', end - start);
    return [behind, ...leadingComments(below, new RegExp(`^ {${column}}// *(.*)$`))];
  }
  const first = below.findIndex((each) => !/^\s*[)\]}]+;?$/.test(each));
  return leadingComments(below.slice(first), /^ *\/\/ ?(.*)$/);
}

/** Returns the text of comments at the start of lines. */
function leadingComments(lines: readonly string[], comment: RegExp): string[] {
  const texts = lines.map((line) => comment.exec(line)?.[1]);
  const count = texts.indexOf(undefined);
  return texts.slice(0, count < 0 ? texts.length : count).map((text) => text!);
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
// `export {}` makes a snippet without imports a module.
for (const { file, code } of snippets) writeFileSync(file, `${code}\nexport {};\n`);
afterAll(() => rmSync(folder, { recursive: true }));

test('the documents compile', () => {
  const path = join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  // A snippet may declare names that it does not use, and exports nothing.
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
}, 180_000);

test.each(snippets)('$name runs, and prints the output in its comments', async ({ file, code }) => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
    printed.push(...format(...values).split('\n'));
  });
  onTestFinished(() => log.mockRestore());
  await expect(import(file)).resolves.toBeDefined();
  const expected = outputOf(code);
  if (expected.length > 0) expect(printed).toEqual(expected);
});

test('the output is parsed from comments', () => {
  const code = `
    console.log(1); // 1
    // why
    for (const each of [2, 3]) console.log(
      each,
    ); // 2
       // 3
    for (const each of [4, 5]) {
      console.log({ each });
    }
    // {
    //   each: 4
    // }

    // why
    console.log('quiet');
    const two = 2; // not printed
  `;
  expect(outputOf(code)).toEqual(['1', '2', '3', '{', '  each: 4', '}']);
});

test.each(guides)('%s has code that runs, and no other code but commands', (guide) => {
  const languages = codeOf(guide).map(({ language }) => language);
  const allowed = guide === 'docs/guides/pytorch.md' ? ['ts', 'sh', 'py'] : ['ts', 'sh'];
  expect(languages).toContain('ts');
  expect(allowed).toEqual(expect.arrayContaining(languages));
});

test('the library asserts the numbers that PyTorch prints in its guide', () => {
  const blocks = codeOf('docs/guides/pytorch.md');
  const numbersIn = (wanted: string, line: RegExp) =>
    blocks
      .filter(({ language }) => language === wanted)
      .flatMap(({ code }) => [...code.matchAll(line)].map(([, number]) => number));
  const printed = numbersIn('py', /^print.*# (\S+)$/gm);
  expect(printed).not.toEqual([]);
  expect(printed).toEqual(numbersIn('ts', /^assert.*'(\S+)'\);/gm));
});

// An example may need packages that the project does not install; its README may only quote its
// code.
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
