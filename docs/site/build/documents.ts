import { existsSync, readdirSync } from 'node:fs';
import { dirname, extname, join, normalize } from 'node:path';
import { documentsIn, type Page, read, root, titleOf, writePage } from './repository.js';

// The documents of the repository as pages, and the source files that they link to.

/** In the order in which one might read them; a guide that is not named comes last. */
const GUIDES = [
  'choosing',
  'training',
  'calls',
  'temperature',
  'hybrids',
  'teachers',
  'pytorch',
  'language-models',
  'on-policy',
  'inference-servers',
  'teacher-store',
  'labelling',
  'search-and-reranking',
  'layers',
  'tensorflow',
  'jax',
  'own-strategy',
  'performance',
];
/** The documents about the project that come first, in this order. */
const PROJECT = ['speed.md', 'sizes.md', 'limits.md', 'architecture.md'];
/** Documents that have a page of their own making. */
const ELSEWHERE = ['strategies.md'];

/** The guides, in reading order. */
export function guides(): Page[] {
  const place = (name: string) => GUIDES.indexOf(name) >>> 0;
  return documentsIn('docs/guides')
    .map((file) => file.slice(0, -'.md'.length))
    .sort((a, b) => place(a) - place(b))
    .map((name) => pageOf(`docs/guides/${name}.md`, `guides/${name}`));
}

/** The list of examples and the examples, by name. */
export function examples(): Page[] {
  return ['', ...readdirSync(join(root, 'examples')).sort()]
    .map((name) => ({ name: name || 'index', source: join('examples', name, 'README.md') }))
    .filter(({ source }) => existsSync(join(root, source)))
    .map(({ name, source }) => pageOf(source, `examples/${name}`));
}

/** Documents about the project and not about its use. */
export function project(): Page[] {
  const place = (file: string) => PROJECT.indexOf(file) >>> 0;
  const own = documentsIn('docs')
    .filter((file) => !ELSEWHERE.includes(file))
    .sort((a, b) => place(a) - place(b));
  const others = ['CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'bench/README.md'];
  return [
    ...own.map((file) => pageOf(`docs/${file}`, `project/${nameOf(file)}`)),
    ...others.map((file) => pageOf(file, `project/${nameOf(file.replace('/README', ''))}`)),
  ];
}

/** The reasons for the design; the list of them comes first. */
export function decisions(): Page[] {
  return documentsIn('docs/decisions').map((file) =>
    pageOf(`docs/decisions/${file}`, `decisions/${nameOf(file)}`),
  );
}

function nameOf(file: string): string {
  return file.slice(0, -'.md'.length).toLowerCase();
}

function pageOf(source: string, path: string): Page {
  return {
    source,
    path: path.replace(/\/readme$/, '/index'),
    title: titleOf(read(source), source),
  };
}

/** The table of all strategies. */
export function strategyTable(): Page {
  return { source: 'docs/strategies.md', path: 'strategies/index', title: 'Strategies' };
}

/** The README from its first section on: its heading and its pictures are those of the home page. */
export function start(): Page {
  return { source: 'README.md', path: 'start', title: 'Start' };
}

/** Writes the document of a page. */
export function writeDocument({ source, path }: Page): void {
  const text = read(source);
  const sections = text.indexOf('\n## ');
  writePage(path, source, source === 'README.md' ? `# Start\n${text.slice(sections)}` : text);
}

const CODE: Readonly<Record<string, string>> = {
  '.ts': 'ts',
  '.tsx': 'tsx',
  '.py': 'python',
  '.json': 'json',
  '.yml': 'yaml',
  '': 'sh',
};

/** Pages for the source files that pages link to and that have no page yet. */
export function sourcesOf(pages: readonly Page[], known: ReadonlySet<string>): Page[] {
  const linked = pages.flatMap(({ source }) => filesLinkedFrom(source));
  return [...new Set(linked)]
    .filter((file) => !known.has(file) && extname(file) in CODE)
    .sort()
    .map((file) => ({ source: file, path: `source/${file}`, title: file }));
}

/** Shows a source file. */
export function writeSource({ source, path }: Page): void {
  const fence = `\`\`\`\`${CODE[extname(source)]}\n${read(source).trimEnd()}\n\`\`\`\``;
  writePage(
    path,
    source,
    `# ${source}\n\n${fence}\n`,
    'search: false\naside: false\nsidebar: false\n',
  );
}

function filesLinkedFrom(source: string): string[] {
  if (!source.endsWith('.md')) return [];
  const prose = read(source).replace(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)]
    .map(([, inline, defined]) => (inline ?? defined!).split('#')[0]!)
    .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
    .map((link) => normalize(join(dirname(source), link)))
    .filter((file) => existsSync(join(root, file)));
}
