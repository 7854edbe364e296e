import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import katex from 'katex';
import type { MarkdownRenderer } from 'vitepress';
import { toTeX } from './formula.js';
import { root } from './repository.js';

/**
 * Extensions of VitePress's Markdown for the pages: formulas, links between files of the
 * repository, and drawings that take part in the page's colours.
 */
export function extendMarkdown(
  md: MarkdownRenderer,
  pages: Readonly<Record<string, string>>,
): void {
  const { fence } = md.renderer.rules;
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info, content } = tokens[index]!;
    if (info.trim() === 'math') return displayed(content);
    return fence!(tokens, index, options, env, self);
  };

  // A table scrolls by itself where it is wider than the page: by the keyboard, too.
  md.renderer.rules.table_open = () => '<table tabindex="0">\n';

  // Code by indentation scrolls by itself, as code in a fence does.
  md.core.ruler.push('indented', ({ tokens }) => {
    for (const token of tokens) {
      if (token.type === 'code_block') Object.assign(token, { type: 'fence', info: 'text' });
    }
  });

  // The head of a column without a name is no heading.
  md.core.ruler.push('heads', ({ tokens }) => {
    tokens.forEach(({ type }, index) => {
      const [open, name, close] = tokens.slice(index, index + 3);
      if (type !== 'th_open' || name?.content !== '') return;
      open!.tag = 'td';
      close!.tag = 'td';
    });
  });

  md.core.ruler.push('files', ({ tokens, env }) => {
    const source: string | undefined = env.frontmatter?.source;
    if (source === undefined || env.relativePath === undefined) return; // a title of a container
    const from = { source, page: env.relativePath.replace(/\.md$/, ''), path: env.path, pages };
    for (const token of tokens.flatMap((each) => [each, ...(each.children ?? [])])) {
      const { type, content } = token;
      if (type === 'link_open') token.attrSet('href', pageLink(token.attrGet('href') ?? '', from));
      if (type === 'html_block' || type === 'html_inline')
        token.content = withPictures(content, from);
      if (type === 'image') {
        const file = repositoryPath(token.attrGet('src') ?? '', source);
        if (file.endsWith('.svg')) {
          const svg = readFileSync(join(root, file), 'utf8');
          Object.assign(token, { type: 'html_inline', content: drawingOf(svg, content) });
        } else {
          token.attrSet('src', picturePath(file, from));
        }
      }
    }
  });
}

/** The page that is being read: its file in the repository, its path on the site and on disk. */
interface Reading {
  readonly source: string;
  readonly page: string;
  readonly path: string;
  readonly pages: Readonly<Record<string, string>>;
}

/** A formula as HTML, with MathML for screen readers. */
function displayed(formula: string): string {
  const html = katex.renderToString(toTeX(formula), { displayMode: true, strict: 'error' });
  return `<div class="formula" v-pre tabindex="0" role="group" aria-label="Formula">${html}</div>`;
}

/** A link between files as a link between pages. */
function pageLink(link: string, { source, page, pages }: Reading): string {
  if (/^([a-z]+:|#|\/)/.test(link)) return link;
  const [file = '', anchor] = link.split('#');
  const target = repositoryPath(file, source);
  const found = pages[target] ?? pages[`${target}/README.md`];
  if (found === undefined) throw new Error(`${source} links to ${target}, which has no page`);
  const path = relative(dirname(page), found);
  return `${path.startsWith('.') ? path : `./${path}`}.md${anchor ? `#${anchor}` : ''}`;
}

function repositoryPath(link: string, source: string): string {
  return normalize(join(dirname(source), decodeURI(link))).replace(/\/$/, '');
}

/** The path of a picture as Vite finds it: from the page on disk to the picture in the repository. */
function picturePath(file: string, { path }: Reading): string {
  return relative(dirname(path), join(root, file));
}

/** HTML with the paths of its pictures as Vite finds them. */
function withPictures(html: string, from: Reading): string {
  return html.replace(
    /\bsrc="(?![a-z]+:)([^"]+)"/g,
    (_, link: string) => `src="${picturePath(repositoryPath(link, from.source), from)}"`,
  );
}

/** A drawing as a part of the page, so that it follows the page's colours. */
export function drawingOf(svg: string, title: string): string {
  const bare = svg
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/ (role|aria-\w+)="[^"]*"/g, '') // the title says it all
    .replace(/<svg /, '<svg aria-hidden="true" ');
  const label = title.replaceAll('"', '&quot;');
  return `<span class="drawing" v-pre role="img" aria-label="${label}">${bare}</span>`;
}
