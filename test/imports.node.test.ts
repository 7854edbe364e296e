import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { expect, test } from 'vitest';

/** The folders of src in order: each may import only those before it. */
const FOLDERS = [
  'core',
  'engine',
  'kernels',
  'teachers',
  'call',
  'layers',
  'strategies',
  'head',
  'metrics',
  'tensors',
  'testing',
  'tfjs',
  'jax',
  'store',
];

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.includes(sep) && file.endsWith('.ts') && !file.includes('binaries'))
  .map((file) => join('src', file));

function folderOf(file: string): string {
  return file.split(sep)[1]!;
}

/** Returns the files that a file imports, as paths from the root. */
function importsOf(file: string): string[] {
  const specifiers = readFileSync(file, 'utf8').matchAll(/ from '(\.[^']+)';/g);
  return [...specifiers].map(([, specifier]) => join(dirname(file), specifier!));
}

test('every folder of src is in the order', () => {
  expect(files.length).toBeGreaterThan(100);
  expect([...new Set(files.map(folderOf))].sort()).toEqual([...FOLDERS].sort());
});

test('imports follow the order of the folders of src', () => {
  const upwards = files.flatMap((file) => {
    const own = FOLDERS.indexOf(folderOf(file));
    const wrong = importsOf(file).filter((other) => FOLDERS.indexOf(folderOf(other)) > own);
    return wrong.map((other) => `${file} imports ${other}`);
  });
  expect(upwards).toEqual([]);
});

test('no imports form a cycle', () => {
  const graph = new Map(
    files.map((file) => [file, importsOf(file).map((other) => other.replace(/\.js$/, '.ts'))]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (path.includes(file) || done.has(file)) return;
    for (const other of graph.get(file) ?? []) visit(other, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

test('no file of src is longer than 300 lines', () => {
  const linesOf = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n').length;
  expect(files.filter((file) => linesOf(file) > 300)).toEqual([]);
});
