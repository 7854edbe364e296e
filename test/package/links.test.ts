import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// Every link between the documents leads to an existing file and, within a document, to an existing
// heading.

const root = fileURLToPath(new URL('../../', import.meta.url));

function documentsIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => join(folder, file));
}

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'bench/README.md',
  ...documentsIn('docs').filter((file) => !/^docs\/(api|site)\//.test(file)),
  ...documentsIn('examples'),
];

function proseOf(path: string): string {
  return readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
}

/** Returns the anchors of the headings, as GitHub and typedoc make them. */
function anchorsOf(path: string): string[] {
  return [...proseOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function linksOf(document: string): string[] {
  const prose = proseOf(join(root, document)).replace(/`[^`]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)|^\[\w+\]: (\S+)$/gm)]
    .map(([, inline, defined]) => inline ?? defined!)
    .filter((link) => !/^https?:/.test(link));
}

test.each(documents)('the links of %s lead to existing files and headings', (document) => {
  const path = join(root, document);
  const broken = linksOf(document).filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(target)) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('the README leads to every guide', () => {
  const guides = documentsIn('docs/guides');
  expect(guides.length).toBeGreaterThan(0);
  expect(linksOf('README.md')).toEqual(expect.arrayContaining(guides));
});

test.each(documents)('every [Name] of %s leads somewhere', (document) => {
  const prose = proseOf(join(root, document)).replace(/`[^`]*`/g, '');
  const definition = /^\[(\w+)\]: .*$/gm;
  const defined = [...prose.matchAll(definition)].map(([, name]) => name);
  const used = [...prose.replace(definition, '').matchAll(/\[([A-Z]\w+)\](?![([])/g)];
  expect(used.map(([, name]) => name).filter((name) => !defined.includes(name))).toEqual([]);
});
