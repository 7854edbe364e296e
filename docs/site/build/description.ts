/** Length from which on other places cut a description. */
const LONGEST = 200;

/** The first sentences of a document's first paragraph, as plain text; empty if it has none. */
export function describe(markdown: string): string {
  const [paragraph = ''] = markdown
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/^(`{3,})[\s\S]*?^\1$/gm, '')
    .split(/\n\s*\n/)
    .map((block) => block.trim())
    .filter((block) => /^[\p{Letter}`*[]/u.test(block));
  const text = paragraph
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]+>|[*`\\]/g, '')
    .replace(/\s+/g, ' ');
  if (text.length <= LONGEST) return text;
  const cut = text.slice(0, LONGEST - 1);
  const end = Math.max(cut.lastIndexOf('. '), cut.lastIndexOf('; '));
  return end > LONGEST / 3
    ? cut.slice(0, end + 1).replace(/;$/, '.')
    : `${cut.replace(/\s\S*$/, '')}…`;
}
