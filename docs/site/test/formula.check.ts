import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import katex from 'katex';
import { expect, test } from 'vitest';
import { readCatalogue } from '../../catalogue/catalogue.js';
import { toTeX } from '../build/formula.js';
import { read, root } from '../build/repository.js';

const line = (formula: string) => toTeX(formula).replace(/\\begin{aligned}&?|\\end{aligned}/g, '');

test.each([
  ['KL(p ‖ q) / T', '\\frac{\\operatorname{KL}\\!\\left( p \\,\\|\\, q \\right)}{T}'],
  ['softmax(t / T)', '\\operatorname{softmax}\\!\\left( t / T \\right)'],
  ['(a + b) / (n − 1)', '\\frac{a + b}{n - 1}'],
  ['a / Σ_k b_k + c', '\\frac{a}{\\sum_{k} b_{k}} + c'],
  ['T² σ_j²', 'T^{2} σ_{j}^{2}'],
  ['‖x − y‖^(2 p)', '\\left\\| x - y \\right\\|^{2 p}'],
  ['√(n m)', '\\sqrt{n m}'],
  ['Ĝ xᵀ x̄', '\\hat{G} x^{\\top} \\bar{x}'],
  ['(a) (b)', '\\left( a \\right) \\left( b \\right)'],
])('%s is set as mathematics', (formula, tex) => {
  expect(line(formula)).toBe(tex);
});

test('equations stand below each other, aligned', () => {
  expect(toTeX('a = b\nD = 1 if a = 0\n')).toBe(
    '\\begin{aligned}a &= b \\\\[0.4em] D &= 1 \\quad\\text{if}\\quad a = 0\\end{aligned}',
  );
});

test.each(['(a', '|p', '{x'])('%s is refused', (formula) => {
  expect(() => toTeX(formula)).toThrow();
});

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
const formulas = sources
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const blocks = read(join('src', file)).matchAll(/^ *\* ```math\n([\s\S]*?)^ *\* ```$/gm);
    return [...blocks].map(([, block = '']) => ({ file, formula: block.replace(/^ *\* ?/gm, '') }));
  });

test('there is a formula for each strategy', () => {
  expect(formulas.length).toBeGreaterThanOrEqual(readCatalogue().length);
});

test.each(formulas)('KaTeX sets the formula of $file:\n$formula', ({ formula }) => {
  const html = katex.renderToString(toTeX(formula), { displayMode: true, strict: 'error' });
  expect(html).not.toContain('katex-error');
});
