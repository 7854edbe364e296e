// The formulas of the docstrings, which are plain Unicode so that an editor shows them, as TeX.

/** Symbols that KaTeX does not know by themselves, or knows as something else. */
const SYMBOLS: Readonly<Record<string, string>> = {
  Σ: '\\sum',
  Π: '\\prod',
  ε: '\\varepsilon',
  φ: '\\varphi',
  '½': '\\tfrac{1}{2}',
  '¼': '\\tfrac{1}{4}',
  '−': '-',
  '‖': '\\,\\|\\,',
  '|': '\\mid',
  '%': '\\%',
  '&': '\\&',
  '#': '\\#',
};
const FUNCTIONS = new Set(['log', 'ln', 'exp', 'max', 'min', 'cos', 'sin', 'tanh', 'det', 'arg']);
const WORDS = new Set(['if', 'for', 'otherwise', 'and', 'or', 'with', 'over', 'in', 'of', 'the']);
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺';
const SUBSCRIPTS = '₀₁₂₃₄₅₆₇₈₉';
const ACCENTS: Readonly<Record<string, string>> = {
  '\u0302': '\\hat',
  '\u0303': '\\tilde',
  '\u0304': '\\bar',
};
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const TOKEN =
  /(\s*)('[\w-]+'|\d+(?:\.\d+)?(?:e[-−]?\d+)?|[A-Za-z]{2,}|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+|[₀₁₂₃₄₅₆₇₈₉]+|\p{L}[\u0302-\u0304]?|.)/gu;

interface Token {
  readonly text: string;
  /** Whether white space comes before, and whether it comes after. */
  readonly before: boolean;
  readonly after: boolean;
}

/** TeX for a display: the equations below each other, aligned at their first equals sign. */
export function toTeX(formula: string): string {
  const lines = formula.split('\n').filter((line) => line.trim() !== '');
  const rows = lines.map((line) => new Line(line).toTeX());
  return `\\begin{aligned}${rows.join(' \\\\[0.4em] ')}\\end{aligned}`;
}

class Line {
  readonly #tokens: readonly Token[];
  readonly #continues: boolean;
  #at = 0;
  #aligned = false;

  constructor(line: string) {
    const found = [...line.trimEnd().matchAll(TOKEN)].map(([, space, text]) => ({ space, text }));
    this.#tokens = found.map(({ space, text }, i) => ({
      text: text!,
      before: space !== '',
      after: found[i + 1]?.space !== '',
    }));
    this.#continues = /^\s/.test(line);
  }

  toTeX(): string {
    const tex = this.#sequence(undefined);
    return this.#aligned ? tex : `&${this.#continues ? '\\quad ' : ''}${tex}`;
  }

  /** Everything up to `closing`, which it reads; at the end of the line without one. */
  #sequence(closing: string | undefined): string {
    const parts: string[] = [];
    while (this.#at < this.#tokens.length) {
      if (this.#peek() === closing) {
        this.#at++;
        return parts.join(' ');
      }
      parts.push(this.#fraction(closing !== undefined));
    }
    if (closing !== undefined) throw new Error(`a formula lacks its ${closing}`);
    return parts.join(' ');
  }

  /** A factor, or a quotient of two. Between letters in parentheses, a slash is easier to read. */
  #fraction(nested: boolean): string {
    let start = this.#at;
    let tex = this.#factor(nested);
    while (this.#peek() === '/') {
      const short = this.#at - start <= 3 && this.#tokens[start]!.text !== '(';
      this.#at++;
      start = this.#at;
      const denominator = this.#denominator();
      const slash = nested && short && this.#at - start <= 3 && this.#tokens[start]!.text !== '(';
      tex = slash ? `${tex} / ${denominator}` : `\\frac{${bare(tex)}}{${bare(denominator)}}`;
    }
    return tex;
  }

  /** A factor, or a sum with its terms. */
  #denominator(): string {
    const isSum = this.#peek() === 'Σ' || this.#peek() === 'Π';
    const factors = [this.#factor(true)];
    while (isSum && /^[\p{L}\d(|‖√]/u.test(this.#peek() ?? '')) factors.push(this.#factor(true));
    return factors.join(' ');
  }

  /** A symbol or what is in parentheses, with its scripts; a function with its arguments. */
  #factor(nested: boolean): string {
    const { text } = this.#tokens[this.#at]!;
    let tex = this.#primary(nested);
    for (;;) {
      const next = this.#tokens[this.#at];
      if (next === undefined) return tex;
      if ((next.text === '_' || next.text === '^') && !next.before) {
        this.#at++;
        tex += `${next.text}{${bare(this.#script())}}`;
      } else if (SUPERSCRIPTS.includes(next.text[0]!)) {
        this.#at++;
        tex += `^{${digits(next.text, SUPERSCRIPTS)}}`;
      } else if (SUBSCRIPTS.includes(next.text[0]!)) {
        this.#at++;
        tex += `_{${digits(next.text, SUBSCRIPTS)}}`;
      } else if (next.text === 'ᵀ' || next.text === '⊤') {
        this.#at++;
        tex += '^{\\top}';
      } else if (next.text === "'" || next.text === '′') {
        this.#at++;
        tex += "'";
      } else if (next.text === '(' && !next.before && /^\p{L}/u.test(text)) {
        tex += `\\!${this.#primary(true)}`; // without the space that TeX leaves before parentheses
      } else {
        return tex;
      }
    }
  }

  #script(): string {
    const { text } = this.#tokens[this.#at]!;
    if (text === '−' || text === '-') {
      this.#at++;
      return `-${this.#script()}`;
    }
    return this.#primary(true);
  }

  #primary(nested: boolean): string {
    const { text, before, after } = this.#tokens[this.#at]!;
    this.#at++;
    if (text in CLOSING) return this.#brackets(text, CLOSING[text]!);
    if (text === '√') return `\\sqrt{${bare(this.#factor(true))}}`;
    if ((text === '‖' || text === '|') && !(before && after)) {
      const bar = text === '|' ? '|' : '\\|';
      return `\\left${bar} ${this.#sequence(text)} \\right${bar}`;
    }
    if (text === '=' && !nested && !this.#aligned) {
      this.#aligned = true;
      return '&=';
    }
    const [letter = '', accent = ''] = /\p{L}/u.test(text) ? text.normalize('NFD') : text;
    if (accent in ACCENTS) return `${ACCENTS[accent]}{${SYMBOLS[letter] ?? letter}}`;
    if (/^'.+'$/.test(text)) return `\\texttt{${text}}`;
    if (WORDS.has(text)) return `\\quad\\text{${text}}\\quad`;
    if (FUNCTIONS.has(text)) return `\\${text}`;
    if (/^[A-Za-z]{2,}$/.test(text)) return `\\operatorname{${text}}`;
    return SYMBOLS[text] ?? text;
  }

  #brackets(open: string, close: string): string {
    const inside = this.#sequence(close);
    const [left, right] = open === '{' ? ['\\{', '\\}'] : [open, close];
    return `\\left${left} ${inside} \\right${right}`;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]?.text;
  }
}

/** Without the parentheses around the whole of it: a fraction or a script is itself a group. */
function bare(tex: string): string {
  if (!tex.startsWith('\\left( ') || !tex.endsWith(' \\right)')) return tex;
  let depth = 0;
  for (const { 0: bracket, index } of tex.matchAll(/\\(?:left|right)(?![a-z])/g)) {
    depth += bracket === '\\left' ? 1 : -1;
    if (depth === 0 && index < tex.length - '\\right)'.length) return tex;
  }
  return tex.slice('\\left( '.length, -' \\right)'.length);
}

function digits(text: string, alphabet: string): string {
  return [...text].map((character) => '0123456789-+'[alphabet.indexOf(character)]).join('');
}
