import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

// The rules of writing that a machine can check. Each failure names the file and the line.

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Folders that keep the rules. */
const CLEAN = ['assembly', 'bench', 'docs', 'examples', 'src', 'test'];

/** Folders that are generated or installed. */
const EXCLUDED = /(^|\/)(node_modules|dist|binaries|site|api|__pycache__)\//;

const WIDTH = 100;

interface Source {
  readonly path: string;
  readonly lines: readonly string[];
}

function read(path: string): Source {
  return { path, lines: readFileSync(join(root, path), 'utf8').split('\n') };
}

const sources = CLEAN.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => /\.(ts|tsx|py|md)$/.test(path) && !EXCLUDED.test(path))
    .map(read),
);

function isCode({ path }: Source): boolean {
  return !path.endsWith('.md');
}

/** Returns `file:line: text` for each line that breaks a rule. */
function violations(
  { path, lines }: Source,
  isBroken: (line: string, next: string) => boolean,
): string[] {
  return lines.flatMap((line, index) =>
    isBroken(line, lines[index + 1] ?? '') ? [`${path}:${index + 1}: ${line.trim()}`] : [],
  );
}

/**
 * Returns the words of a line without the marks of a comment, and with the first word of the next.
 */
function proseOf(line: string, next: string): string {
  const plain = (text: string) => text.replace(/^\s*(\/\/|\/\*\*|\*|#+)? ?/, '');
  return `${plain(line)} ${plain(next).split(' ')[0]}`;
}

test('comments keep to 100 columns', () => {
  const isComment = (path: string, line: string) =>
    path.endsWith('.py')
      ? /^\s*#|[^'"] {2}# /.test(line)
      : /^\s*(\/\/|\/\*|\*)|[;,{}()\]] \/\/ /.test(line);
  // A long address or a long type cannot be wrapped.
  const hasLongWord = (line: string) => line.split(' ').some((word) => word.length > WIDTH - 20);
  const tooLong = sources
    .filter(isCode)
    .flatMap((source) =>
      violations(
        source,
        (line) => line.length > WIDTH && isComment(source.path, line) && !hasLongWord(line),
      ),
    );
  expect(tooLong).toEqual([]);
});

test('a number has a name', () => {
  const isUnnamed = (line: string, next: string) => /\bso[ ]many\b/i.test(proseOf(line, next));
  expect(sources.flatMap((source) => violations(source, isUnnamed))).toEqual([]);
});

test('no sentence begins with a pronoun in place of its noun', () => {
  const begins = /(^|[.:;!?)] )(That|Those) of\b/;
  const isPronoun = (line: string, next: string) => begins.test(proseOf(line, next));
  expect(sources.flatMap((source) => violations(source, isPronoun))).toEqual([]);
});

test('no sentence of a comment begins with What or Whatever', () => {
  const isComment = (line: string) => /^\s*(\/\/|\/\*\*|\*|#)/.test(line);
  const begins = (line: string, next: string) =>
    isComment(line) && /(^|[.:;!?)] )(What|Whatever)\b/.test(proseOf(line, next));
  expect(sources.filter(isCode).flatMap((source) => violations(source, begins))).toEqual([]);
});

/** Files whose exports are the entry points of the package, as tsup.config.ts lists them. */
const ENTRIES = [
  'src/index.ts',
  'src/jax/index.ts',
  'src/store/index.ts',
  'src/teachers/readers/index.ts',
  'src/testing/index.ts',
  'src/tfjs/index.ts',
];

function parse(path: string): ts.SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** Returns the exported names of an entry point, each with the file that declares it. */
function exportsOf(entry: string): { file: string; name: string }[] {
  return parse(entry).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.isTypeOnly) return [];
    const { exportClause, moduleSpecifier } = statement;
    if (!exportClause || !ts.isNamedExports(exportClause) || !moduleSpecifier) return [];
    const target = (moduleSpecifier as ts.StringLiteral).text.replace(/\.js$/, '.ts');
    return exportClause.elements
      .filter((element) => !element.isTypeOnly)
      .map(({ name }) => ({ file: join(dirname(entry), target), name: name.text }));
  });
}

/** Returns the signatures of an exported function that its callers see. */
function signaturesOf(file: ts.SourceFile, name: string): ts.FunctionDeclaration[] {
  const declarations = file.statements
    .filter(ts.isFunctionDeclaration)
    .filter((declaration) => declaration.name?.text === name);
  const overloads = declarations.filter(({ body }) => body === undefined);
  return overloads.length > 0 ? overloads : declarations;
}

/** Returns the parameters that no overload documents, and whether the result is undocumented. */
function missingTags(signatures: readonly ts.FunctionDeclaration[]): string[] {
  const tags = signatures.flatMap((signature) => ts.getJSDocTags(signature));
  const documented = tags.filter(ts.isJSDocParameterTag).map((tag) => tag.name.getText());
  const parameters = signatures.flatMap((signature) => [...signature.parameters]);
  const names = new Set(parameters.map(({ name }) => name).filter(ts.isIdentifier));
  const missing = [...new Set([...names].map(({ text }) => text))]
    .filter((name) => !documented.includes(name))
    .map((name) => `@param ${name}`);
  const returnsNothing = signatures.every(({ type }) =>
    /^(void|Promise<void>|never|asserts .*)$/.test(type?.getText() ?? 'void'),
  );
  const hasReturns = tags.some((tag) => tag.tagName.text === 'returns');
  return returnsNothing || hasReturns ? missing : [...missing, '@returns'];
}

test('functions of the entry points document their parameters and results', () => {
  const found = ENTRIES.flatMap(exportsOf).filter(({ file }) =>
    CLEAN.some((folder) => file.startsWith(`${folder}/`)),
  );
  expect(found).not.toEqual([]);
  const undocumented = found.flatMap(({ file, name }) => {
    const source = parse(file);
    const signatures = signaturesOf(source, name);
    return missingTags(signatures).map((tag) => {
      const { line } = source.getLineAndCharacterOfPosition(signatures[0]!.getStart());
      return `${file}:${line + 1}: ${name} has no ${tag}`;
    });
  });
  expect(undocumented).toEqual([]);
});
