/**
 * Returns a document with new content between the comment of this name and the next comment `end`.
 * @throws {Error} if there is no such place
 */
export function replacePart(document: string, name: string, content: string): string {
  const start = `<!-- ${name} -->\n`;
  const from = document.indexOf(start) + start.length;
  const to = document.indexOf('<!-- end -->', from);
  if (from < start.length || to < 0) throw new Error(`the document has no place for ${name}`);
  return `${document.slice(0, from)}${content}\n${document.slice(to)}`;
}

/** Formats a table in Markdown. */
export function formatMarkdown(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
