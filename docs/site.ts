import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Application,
  Comment,
  CommentTag,
  type Context,
  Converter,
  type DeclarationReflection,
  type DocumentReflection,
  normalizePath,
  OptionDefaults,
  type Reflection,
  ReflectionKind,
} from 'typedoc';

// The documentation as a site: the reference out of the docstrings, with README, guides and
// examples around it. Whatever typedoc warns of is an error: a broken link, a type that is used and
// not exported, a docstring that is missing.

const root = fileURLToPath(new URL('../', import.meta.url));

/** In the order in which one might read them. */
const GUIDES = [
  'choosing',
  'hybrids',
  'temperature',
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
const FAMILIES = ['response', 'attention', 'feature', 'ranking', 'relation', 'hybrid'];
const OTHERS = 'Data and calls';
const REFERENCE = 'Reference';
/** What a document is, by its path; the first that fits. */
const PAGES = { Guides: /guides/, Examples: /examples/, Project: /./ };

const app = await Application.bootstrap({
  name: 'knowledge-distillation',
  includeVersion: true,
  headings: { readme: false, document: true },
  tsconfig: `${root}tsconfig.json`,
  skipErrorChecking: true, // `npm run typecheck` has done it
  // Links to lines need the repository's address, which package.json has not got yet.
  disableSources: true,
  entryPoints: ['', 'teachers/readers/', 'store/', 'testing/', 'tfjs/', 'jax/'].map(
    (folder) => `${root}src/${folder}index.ts`,
  ),
  sortEntryPoints: false,
  readme: `${root}README.md`,
  projectDocuments: [
    ...GUIDES.map((guide) => `docs/guides/${guide}.md`),
    'docs/strategies.md',
    'docs/parity.md',
    'examples/*/README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
  ].map((pattern) => root + pattern),
  customCss: `${root}docs/site.css`,
  out: `${root}docs/site`,
  categorizeByGroup: false,
  categoryOrder: [...Object.keys(PAGES), REFERENCE, ...FAMILIES.map(categoryOf), OTHERS],
  defaultCategory: OTHERS,
  navigation: { includeCategories: true, includeGroups: false, includeFolders: false },
  ignoredHighlightLanguages: ['math'],
  highlightLanguages: ['typescript', 'javascript', 'python', 'shellscript', 'diff'],
  useFirstParagraphOfCommentAsSummary: true,
  searchInDocuments: true,
  blockTags: [...OptionDefaults.blockTags, '@reproduces', '@differs'],
  includeHierarchySummary: false, // its links to the entries other than the first are broken
  treatWarningsAsErrors: true,
  validation: {
    notExported: true,
    notDocumented: true,
    invalidLink: true,
    invalidPath: true,
    rewrittenLink: true,
  },
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Variable'],
  intentionallyNotExported: [
    // What they are, the docstrings of the functions say that take them.
    'src/tensors/evaluation.ts:Call',
    'src/tensors/evaluation.ts:Rest',
    'src/tensors/tensor.ts:Tensor',
  ],
});

app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context: Context) => {
  for (const document of context.project.documents ?? []) {
    nameByHeading(document);
    const path = relative(root, context.project.files.getReflectionPath(document) ?? '');
    const [page] = Object.entries(PAGES).find(([, pattern]) => pattern.test(path))!;
    putIn(page, document);
  }
  for (const entry of context.project.children ?? []) putIn(REFERENCE, entry);
  for (const reflection of context.project.getReflectionsByKind(ReflectionKind.SomeExport)) {
    const [declaration] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
    if (!declaration || !reflection.parent?.kindOf(ReflectionKind.Module)) continue;
    place(context, reflection as DeclarationReflection, declaration.getSourceFile().fileName);
  }
});

/** Names a document by its heading and not by its file, which is a README for some. */
function nameByHeading(document: DocumentReflection): void {
  const [first] = document.content;
  const [heading, name] = /^# (.+)\n/.exec(first?.text ?? '') ?? [];
  if (!first || !heading || !name) throw new Error(`${document.name} has no heading`);
  document.name = name;
  first.text = first.text.slice(heading.length);
}

/**
 * Puts a class with its family, and has links to its source, which is what guides have, lead to its
 * page. What a strategy overrides is for those who extend the base, and is told there.
 */
function place({ project }: Context, reflection: DeclarationReflection, file: string): void {
  const [, family = ''] = /src\/strategies\/(\w+)/.exec(relative(root, file)) ?? [];
  if (FAMILIES.includes(family)) putIn(categoryOf(family), reflection);
  if (!reflection.kindOf(ReflectionKind.Class)) return;
  project.files.registerReflectionPath(normalizePath(file), reflection);
  if (reflection.name.endsWith('Base')) return;
  for (const member of [...(reflection.children ?? [])]) {
    if (member.flags.isProtected) project.removeReflection(member);
  }
}

function putIn(category: string, reflection: Reflection): void {
  reflection.comment ??= new Comment();
  const tag = new CommentTag('@category', [{ kind: 'text', text: category }]);
  reflection.comment.blockTags.push(tag);
}

function categoryOf(family: string): string {
  return `${family[0]!.toUpperCase()}${family.slice(1)}`;
}

const project = await app.convert();
if (project) {
  app.validate(project);
  await app.generateOutputs(project);
}
const { errorCount, warningCount } = app.logger;
if (!project || errorCount + warningCount > 0) process.exitCode = 1;
