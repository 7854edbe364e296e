import ts from 'typescript';

// A docstring as text: the catalogue reads the source and not the types, which takes a tenth of a
// second instead of ten.

/** A docstring, split into its description and its block tags. */
export interface Docstring {
  /** Paragraphs, lists and fenced blocks, in order. */
  readonly paragraphs: readonly string[];
  readonly tags: readonly { readonly name: string; readonly text: string }[];
}

/** The docstring of a declaration; empty if the declaration has none. */
export function docstringOf(declaration: ts.Node): Docstring {
  const comments = ts.getJSDocCommentsAndTags(declaration).filter((node) => ts.isJSDoc(node));
  return parseDocstring(comments.at(-1)?.getText() ?? '');
}

/** Splits the text of a comment, with its stars. */
export function parseDocstring(comment: string): Docstring {
  const lines = comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd());
  const blocks = [{ name: '', lines: [] as string[] }];
  for (const { line, isFenced } of withFences(lines)) {
    const [, name, rest = ''] = (!isFenced && /^@(\w+)\s*(.*)$/.exec(line)) || [];
    if (name) blocks.push({ name, lines: [rest] });
    else blocks.at(-1)!.lines.push(line);
  }
  const [description, ...tags] = blocks;
  return {
    paragraphs: paragraphsOf(description!.lines),
    tags: tags.map(({ name, lines }) => ({ name, text: lines.join('\n').trim() })),
  };
}

/** A paragraph as one line, its links as code. */
export function inLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replace(/\{@link (\w+)\}/g, '`$1`');
}

/** The content of a fenced block; `undefined` if the text is none. */
export function fenced(text: string, language: string): string | undefined {
  return new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\``, 'm').exec(text)?.[1];
}

function withFences(lines: readonly string[]): { line: string; isFenced: boolean }[] {
  let isOpen = false;
  return lines.map((line) => {
    const isFence = line.startsWith('```');
    if (isFence) isOpen = !isOpen;
    return { line, isFenced: isOpen || isFence };
  });
}

function paragraphsOf(lines: readonly string[]): string[] {
  const paragraphs: string[][] = [[]];
  for (const { line, isFenced } of withFences(lines)) {
    if (line === '' && !isFenced) paragraphs.push([]);
    else paragraphs.at(-1)!.push(line);
  }
  return paragraphs.filter(({ length }) => length > 0).map((each) => each.join('\n'));
}
