import { basename, dirname, join, relative } from 'node:path';
import {
  Application,
  type Context,
  Converter,
  type DeclarationReflection,
  OptionDefaults,
  PageEvent,
  type Reflection,
  ReflectionKind,
} from 'typedoc';
import { pagesFolder, root, type SidebarGroup } from './repository.js';

// The reference, out of the docstrings. A warning of TypeDoc is an error: a broken link, a type
// that is used and not exported, a missing docstring.

/** The folders of the entry points below `src`. */
const ENTRY_POINTS = ['', 'teachers/readers/', 'store/', 'testing/', 'tfjs/', 'jax/'];
/** The kinds of symbols that have a page, in the order of the sidebar. */
const KINDS: readonly (readonly [ReflectionKind, string])[] = [
  [ReflectionKind.Class, 'Classes'],
  [ReflectionKind.Function, 'Functions'],
  [ReflectionKind.Interface, 'Interfaces'],
  [ReflectionKind.TypeAlias, 'Types'],
  [ReflectionKind.Variable, 'Constants'],
];

/** The page of a symbol that an entry point exports. */
export interface ReferencePage {
  readonly name: string;
  readonly kind: ReflectionKind;
  readonly isClass: boolean;
  /** For example `knowledge-distillation/tfjs`. */
  readonly entryPoint: string;
  /** The path of the page below the site's root, without an extension. */
  readonly path: string;
  /** The path of the symbol's file in the repository. */
  readonly file: string;
}

/** Writes the pages of all entry points below `reference` and returns those of the symbols. */
export async function writeReference(): Promise<ReferencePage[]> {
  const app = await Application.bootstrapWithPlugins({
    name: 'Reference',
    plugin: ['typedoc-plugin-markdown'],
    tsconfig: `${root}tsconfig.json`,
    skipErrorChecking: true, // `npm run typecheck` has done it
    disableSources: true, // links to lines need the repository's address, which package.json lacks
    entryPoints: ENTRY_POINTS.map((folder) => `${root}src/${folder}index.ts`),
    sortEntryPoints: false,
    readme: 'none',
    outputs: [{ name: 'markdown', path: join(pagesFolder, 'reference') }],
    useFirstParagraphOfCommentAsSummary: true,
    blockTags: [...OptionDefaults.blockTags, '@reproduces', '@differs'],
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
      // The docstrings of the functions that take them say what they are.
      'src/tensors/evaluation.ts:Call',
      'src/tensors/evaluation.ts:Rest',
      'src/tensors/tensor.ts:Tensor',
    ],
    ...MARKDOWN,
  });
  const files = new Map<Reflection, string>();
  const pages: ReferencePage[] = [];
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context: Context) => {
    for (const reflection of context.project.getReflectionsByKind(ReflectionKind.SomeExport)) {
      const [declaration] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
      files.set(reflection, relative(root, declaration?.getSourceFile().fileName ?? root));
    }
    removeMembers(context);
  });
  app.renderer.on(PageEvent.BEGIN, ({ model, url }) => {
    const reflection = model as Reflection;
    const { name, kind, parent } = reflection;
    if (!KINDS.some(([known]) => known === kind)) return;
    const path = `reference/${url.slice(0, -'.md'.length)}`;
    const isClass = kind === ReflectionKind.Class;
    const file = files.get(reflection)!;
    pages.push({ name, kind, isClass, entryPoint: parent!.name, path, file });
  });
  const project = await app.convert();
  if (!project) throw new Error('TypeDoc cannot read the sources');
  app.validate(project);
  await app.generateOutputs(project);
  const { errorCount, warningCount } = app.logger;
  if (errorCount + warningCount > 0) throw new Error('TypeDoc complains, see above');
  return pages;
}

/** How typedoc-plugin-markdown writes a page. */
const MARKDOWN = {
  entryFileName: 'index',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  expandParameters: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  pageTitleTemplates: {
    member: ({ rawName }: { rawName: string }) => rawName.replace(/<.*/s, ''),
    module: '{name}',
  },
  sanitizeComments: true,
};

/**
 * Leaves out members that a class inherits, which its base documents, members from elsewhere, and
 * the protected members of strategies, which are for those who extend a base.
 */
function removeMembers({ project }: Context): void {
  const kinds = ReflectionKind.Class | ReflectionKind.Interface;
  for (const reflection of project.getReflectionsByKind(kinds) as DeclarationReflection[]) {
    const isClass = reflection.kindOf(ReflectionKind.Class);
    const isBase = reflection.name.endsWith('Base');
    for (const member of [...(reflection.children ?? [])]) {
      const { inheritedFrom, flags } = member;
      const isElsewhere = inheritedFrom !== undefined && inheritedFrom.reflection === undefined;
      if (isElsewhere || (isClass && (inheritedFrom || (flags.isProtected && !isBase)))) {
        project.removeReflection(member);
      }
    }
  }
}

/**
 * The sidebars of the reference, by the folder whose pages have them. One that listed all symbols
 * would be most of each page: a sidebar lists those of its own entry point and kind, and leads to
 * the lists of the others.
 */
export function referenceSidebars(pages: readonly ReferencePage[]): Record<string, SidebarGroup[]> {
  const entryPoints = [...new Set(pages.map(({ entryPoint }) => entryPoint))];
  const sidebarFor = (open?: string): SidebarGroup[] =>
    entryPoints.map((entryPoint) => ({
      text: entryPoint,
      link: `/reference/${entryPoint}/`,
      items: KINDS.flatMap(([kind, text]): SidebarGroup['items'] => {
        const own = pages.filter((page) => page.kind === kind && page.entryPoint === entryPoint);
        const folder = own[0] && dirname(own[0].path);
        if (!folder) return [];
        if (folder !== open) return [{ text, link: `/${dirname(folder)}/#${basename(folder)}` }];
        const items = own.map(({ name, path }) => ({ text: name, link: `/${path}` }));
        return [{ text, collapsed: false, items }];
      }),
    }));
  const folders = new Set(pages.map(({ path }) => dirname(path)));
  return {
    '/reference/': sidebarFor(),
    ...Object.fromEntries([...folders].map((folder) => [`/${folder}/`, sidebarFor(folder)])),
  };
}
