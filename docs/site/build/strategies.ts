import { FAMILIES, type Strategy } from '../../catalogue/catalogue.js';
import { labelCell, sumCell } from '../../catalogue/tables.js';
import { drawingOf } from './markdown.js';
import { plot } from './plots.js';
import { read, type SidebarGroup, writePage } from './repository.js';
import { sizeOf } from './sizes.js';

// A page for each strategy, made from its docstring.

/** The path of the page of a strategy. */
export function pathOf({ file }: Strategy): string {
  return `strategies/${file.split('/').at(-1)!.slice(0, -'.ts'.length)}`;
}

/** True for response losses: the laboratory shows the losses of one row of logits. */
export function isInLaboratory({ family }: Strategy): boolean {
  return family === 'response';
}

/** The strategies by family. */
export function strategySidebar(strategies: readonly Strategy[]): SidebarGroup[] {
  const families = FAMILIES.map((family) => ({
    text: family[0]!.toUpperCase() + family.slice(1),
    items: strategies
      .filter((strategy) => strategy.family === family)
      .map((strategy) => ({ text: strategy.name, link: `/${pathOf(strategy)}` })),
  }));
  return [
    { text: 'All strategies', items: [{ text: 'Table', link: '/strategies/' }] },
    ...families,
  ];
}

/** Writes the page. `pageOf` finds the reference page of a symbol. */
export async function writeStrategy(
  strategy: Strategy,
  pageOf: (symbol: string) => string | undefined,
): Promise<void> {
  const { file, name, className, summary, use, avoid, formula, body, throws, example } = strategy;
  const linked = (text: string) =>
    text.replace(/\{@link (\w+)\}/g, (_, symbol: string) => {
      const page = pageOf(symbol);
      return page ? `[\`${symbol}\`](/${page})` : `\`${symbol}\``;
    });
  const reference = pageOf(className);
  if (!reference) throw new Error(`${className} has no reference page`);
  const sections = [
    `# ${name}`,
    linked(summary),
    fence('ts', example),
    use && `**When to use it.** ${linked(`${use} ${avoid}`.trim())}`,
    `Labels: ${labelCell(strategy)}. [Rows add up](/guides/calls#sums-over-rows): ${sumCell(strategy)}.`,
    formula && `## Formula\n\n${fence('math', formula)}`,
    await drawnSection(strategy),
    optionsSection(strategy, linked),
    papersSection(strategy, linked),
    await costSection(strategy),
    `::: details Arguments, range, errors and cost\n\n${linked(body)}\n\n${throws && `Throws \`DistillationError\`: ${linked(throws)}`}\n\n:::`,
    `Members and types: [\`${className}\` in the reference](/${reference}).`,
  ];
  writePage(pathOf(strategy), file, `${sections.filter((each) => each !== '').join('\n\n')}\n`);
}

function fence(language: string, code: string): string {
  return `\`\`\`${language}\n${code.trimEnd()}\n\`\`\``;
}

async function drawnSection(strategy: Strategy): Promise<string> {
  const drawn = await plot(strategy);
  if (!drawn) return '';
  const drawings = drawn.drawings.map((svg, index) =>
    drawingOf(svg, `${index === 0 ? 'The loss' : 'Its derivative'} of ${strategy.name}`),
  );
  const laboratory = isInLaboratory(strategy)
    ? ` <a href="../laboratory.html#loss=${strategy.name}">Drag it in the laboratory</a>.`
    : '';
  return `## Value and gradient\n\n<div class="plots">${drawings.join('')}</div>\n\n${drawn.caption} Computed by the library when this page was built.${laboratory}`;
}

function optionsSection({ options }: Strategy, linked: (text: string) => string): string {
  if (options.length === 0) return '';
  const rows = options.map(({ name, type, isRequired, defaultValue, description }) => {
    const standard = defaultValue?.replace(/, or the default .*/, '');
    const value = standard ? `Default: \`${standard}\`` : isRequired ? 'Required' : '';
    const facts = [`**\`${name}\`**`, `\`${type}\``, value].filter((fact) => fact !== '');
    return `<tr><td>\n\n${facts.join('<br>')}\n\n</td><td>\n\n${linked(description)}\n\n</td></tr>`;
  });
  const head = '<thead><tr><th>option</th><th>meaning</th></tr></thead>';
  return `## Options\n\n<table class="options" tabindex="0">${head}<tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

function papersSection(
  { papers, reproduces, differs }: Strategy,
  linked: (text: string) => string,
): string {
  const items = papers.map(
    ({ title, url, section, note }) =>
      `- [${title}](${url})${section && `, ${section}`}. ${linked(note)}`,
  );
  const rows = [
    ...reproduces.map(({ implementation, how }) => [implementation, '✓', how || 'by default']),
    ...differs.map(({ implementation, how }) => [implementation, '≠', how]),
  ].map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  const table = [
    '✓: the same loss, with these options. ≠: a loss that differs. [All implementations](/project/parity).',
    '',
    '| implementation | | options, or what differs |',
    '|---|:-:|---|',
    ...rows,
  ];
  if (rows.length > 0) items.push(`\n${table.join('\n')}`);
  return items.length === 0 ? '' : `## Papers and implementations\n\n${items.join('\n')}`;
}

interface Results {
  readonly cpu: string;
  readonly node: string;
  readonly tables: readonly {
    readonly name: string;
    readonly columns: readonly { readonly name: string }[];
    readonly lines: readonly {
      readonly name: string;
      readonly cells: readonly ({ milliseconds: number; ratio?: number } | null)[];
    }[];
  }[];
}

const bench: Results = JSON.parse(read('bench/results.json'));

async function costSection({ name, className }: Strategy): Promise<string> {
  const bytes = await sizeOf(className);
  const size = `**Size**: ${(bytes / 1000).toFixed(1)} kB for a page that uses this strategy alone (bundled by esbuild, minified, Brotli).`;
  const table = bench.tables.find(
    ({ lines, columns }) =>
      columns.some((column) => column.name === 'fma, plain') &&
      lines.some((line) => line.name.startsWith(name)),
  );
  if (!table) return `## Size\n\n${size}`;
  const lines = table.lines.filter(
    (line) =>
      line.name === name || line.name.startsWith(`${name} '`) || line.name.startsWith(`${name}, `),
  );
  if (lines.length === 0) return `## Size\n\n${size}`;
  const shown = table.columns.flatMap((column, index) =>
    lines.some(({ cells }) => cells[index]) ? [{ ...column, index }] : [],
  );
  const rows = lines.map(
    ({ name, cells }) =>
      `| ${[name, ...shown.map(({ index }) => milliseconds(cells[index]))].join(' | ')} |`,
  );
  const unit = table.name.replace(/, (ms|µs)$/, '');
  return [
    '## Speed and size',
    '',
    `Loss and gradient of ${unit}, in milliseconds, on ${bench.cpu} with Node ${bench.node}; in brackets, how many times as fast as PyTorch on one thread. [More about speed](/guides/performance).`,
    '',
    `| | ${shown.map((column) => column.name).join(' | ')} |`,
    `|---|${shown.map(() => '--:').join('|')}|`,
    ...rows,
    '',
    size,
  ].join('\n');
}

function milliseconds(cell: { milliseconds: number; ratio?: number } | null | undefined): string {
  if (!cell) return '–';
  const ratio = cell.ratio === undefined ? '' : ` (${Number(cell.ratio.toPrecision(2))}×)`;
  return `${Number(cell.milliseconds.toPrecision(2))}${ratio}`;
}
