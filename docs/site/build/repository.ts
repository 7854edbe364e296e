import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));
/** The pages of the site, as Markdown: what VitePress reads. */
export const pagesFolder = fileURLToPath(new URL('../pages/', import.meta.url));

/** A page of the site that is a file of the repository. */
export interface Page {
  /** The path of the page below the site's root, without an extension. */
  readonly path: string;
  readonly title: string;
  /** The path of its file in the repository. */
  readonly source: string;
}

/** A heading and the pages below it, as the sidebar of VitePress takes them. */
export interface SidebarGroup {
  readonly text: string;
  readonly link?: string;
  readonly collapsed?: boolean;
  readonly items: readonly (SidebarGroup | { readonly text: string; readonly link: string })[];
}

/** The text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The names of the Markdown files of a folder; none if there is no such folder. */
export function documentsIn(folder: string): string[] {
  try {
    return readdirSync(join(root, folder)).filter((file) => file.endsWith('.md'));
  } catch {
    return [];
  }
}

/** The heading of a Markdown text. */
export function titleOf(markdown: string, source: string): string {
  const [, title] = /^# (.+)$/m.exec(markdown) ?? [];
  if (!title) throw new Error(`${source} has no heading`);
  return title.replaceAll('`', '');
}

/** Writes a page. The front matter names its source, which its links are relative to. */
export function writePage(path: string, source: string, content: string, matter = ''): void {
  const file = join(pagesFolder, `${path}.md`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `---\nsource: ${source}\n${matter}---\n\n${content}`);
}
