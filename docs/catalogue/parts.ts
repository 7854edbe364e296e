import { type Docstring, fenced, inLine } from './docstring.js';

/** The implementations that strategies are compared with, in the order of the tables. */
export const IMPLEMENTATIONS: readonly string[] = [
  'mdistiller',
  'RepDistiller',
  'torchdistill',
  'TextBrewer',
  'TRL',
  'DistillKit',
  'Liger',
  'DistiLLM',
  'AiDotNet',
  'sentence-transformers',
  'distil-whisper',
  'torchtune',
  'CWD',
];

/** A paper that a strategy is from. */
export interface Paper {
  /** Authors and year. */
  readonly title: string;
  /** The title of the paper, or the name of its method; empty if the docstring has none. */
  readonly work: string;
  readonly url: string;
  /** For example `§3.2`; empty for the whole paper. */
  readonly section: string;
  /** The difference from the paper. */
  readonly note: string;
}

/** A strategy beside an implementation. */
export interface Comparison {
  readonly implementation: string;
  /** The options and the factor that reproduce it, or what differs; empty for the defaults. */
  readonly how: string;
}

/** The parts of a strategy's docstring. Texts are Markdown. */
export interface Parts {
  /** One sentence: what is matched, and how. */
  readonly summary: string;
  /** Lines of Unicode mathematics. */
  readonly formula: string;
  /** One sentence that begins with "Use it". */
  readonly use: string;
  /** One sentence that begins with "Avoid it"; empty if there is nothing to avoid. */
  readonly avoid: string;
  /** Arguments, range, limits and cost. */
  readonly body: string;
  /** The codes of the errors, and when they are thrown. */
  readonly throws: string;
  readonly papers: readonly Paper[];
  readonly reproduces: readonly Comparison[];
  readonly differs: readonly Comparison[];
  /** TypeScript that prints. */
  readonly example: string;
}

/** Takes what a docstring lacks, as the end of a sentence about it. */
export type Report = (part: string) => void;

/** The parts of a docstring; reports those that it lacks. */
export function partsOf(docstring: Docstring, report: Report): Parts {
  return { ...readDescription(docstring, report), ...readTags(docstring, report) };
}

/** The text above the tags. */
function readDescription(
  { paragraphs }: Docstring,
  report: Report,
): Pick<Parts, 'summary' | 'formula' | 'use' | 'avoid' | 'body'> {
  const [summary = '', ...rest] = paragraphs;
  const formula = rest.find((each) => fenced(each, 'math'));
  const use = rest.find((each) => each.startsWith('Use it '));
  const avoid = rest.find((each) => each.startsWith('Avoid it '));
  if (!/^[A-Z]\w+s\b.*\.$/s.test(summary) || /\.\s/.test(summary)) {
    report('needs a first paragraph of one sentence that begins with a verb: "Matches … ."');
  }
  if (!formula) report('needs its formula in a block ```math');
  if (!use) report('needs a paragraph of one sentence that begins with "Use it"');
  for (const advice of [use, avoid]) {
    const words = inLine(advice ?? '').split(' ');
    if (words.length > 20) report(`needs at most 20 words after "${words[0]} it"`);
  }
  return {
    summary: inLine(summary),
    formula: fenced(formula ?? '', 'math') ?? '',
    use: inLine(use ?? ''),
    avoid: inLine(avoid ?? ''),
    body: rest.filter((each) => ![formula, use, avoid].includes(each)).join('\n\n'),
  };
}

function readTags(
  { tags }: Docstring,
  report: Report,
): Pick<Parts, 'throws' | 'papers' | 'reproduces' | 'differs' | 'example'> {
  const textsOf = (name: string) => tags.filter((tag) => tag.name === name).map(({ text }) => text);
  const [throws = ''] = textsOf('throws');
  const [example = ''] = textsOf('example');
  const code = fenced(example, 'ts') ?? '';
  if (!throws.startsWith('{DistillationError} ')) report('needs @throws {DistillationError}');
  if (!/console\.log\([\s\S]*\); \/\/ \S/.test(code)) {
    report('needs an @example in a block ```ts that prints, with what it prints as a comment');
  }
  return {
    throws: inLine(throws.replace('{DistillationError} ', '')),
    papers: textsOf('see').map((text) => readPaper(inLine(text), report)),
    reproduces: textsOf('reproduces').map((text) => readComparison(inLine(text), report)),
    differs: textsOf('differs').map((text) => readComparison(inLine(text), report)),
    example: code,
  };
}

function readPaper(text: string, report: Report): Paper {
  const match = /^\[([^\]]+)\]\(([^)]+)\)(?:, (.+?))?\. (?:"([^"]+)"[.:,]? )?(.+)$/.exec(text);
  if (/^\[[^\]]+\]\(\S*\)\S*\)/.test(text)) {
    report(`writes a ")" in the URL of "@see ${text}": write ) in the url as %29`);
  } else if (!match) {
    report(
      `needs "@see [title](url), §2. What differs.", where ", §2" may be left out, got "@see ${text}"`,
    );
  }
  const [, title = '', url = '', section = '', work = '', note = ''] = match ?? [];
  return { title, work, url, section, note };
}

function readComparison(text: string, report: Report): Comparison {
  const [, implementation = '', how = ''] = /^([\w-]+)(?:: (.+))?$/.exec(text) ?? [];
  if (!IMPLEMENTATIONS.includes(implementation)) {
    report(`compares with "${text}", which begins with none of ${IMPLEMENTATIONS.join(', ')}`);
  }
  return { implementation, how: how.replace(/\.$/, '') };
}
