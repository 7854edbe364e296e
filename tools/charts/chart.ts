import { parse, View } from 'vega';
import { type Config, compile, type TopLevelSpec } from 'vega-lite';

export type { TopLevelSpec } from 'vega-lite';

/** The colours of the lines of a chart, in order. */
export const SERIES: readonly string[] = [1, 2, 3, 4, 5].map((index) => `var(--series-${index})`);
/** The colour of text and axes. */
const INK = 'currentColor';

const LIGHT = ['#1f2328', '#0969da', '#bc4c00', '#1a7f37', '#8250df', '#6e7781'];
const DARK = ['#e6edf3', '#58a6ff', '#f0883e', '#3fb950', '#bc8cff', '#9da7b3'];

const CONFIG: Config = {
  font: 'sans-serif',
  background: 'transparent',
  axis: {
    labelFontSize: 12,
    titleFontSize: 13,
    titlePadding: 10,
    labelColor: INK,
    titleColor: INK,
    domainColor: INK,
    tickColor: INK,
    gridColor: INK,
    gridOpacity: 0.15,
  },
  title: {
    anchor: 'start',
    fontSize: 16,
    subtitleFontSize: 13,
    offset: 12,
    color: INK,
    subtitleColor: INK,
  },
  header: { labelColor: INK, titleColor: INK },
  legend: { labelFontSize: 12, labelColor: INK, titleColor: INK },
  view: { stroke: null },
  text: { color: INK },
  rule: { color: INK },
};

/** Renders a chart as SVG on a transparent ground, in colours that follow the colour scheme. */
export async function drawChart(chart: TopLevelSpec): Promise<string> {
  const { spec } = compile({ padding: 12, ...chart }, { config: CONFIG });
  const svg = await new View(parse(spec), { renderer: 'none' }).toSVG();
  const dark = `@media (prefers-color-scheme: dark) { ${colors(DARK)} }`;
  return svg.replace(/^<svg[^>]*>/, `$&<style>${colors(LIGHT)} ${dark}</style>`);
}

function colors([ink, ...series]: readonly string[]): string {
  const variables = series.map((color, index) => `--series-${index + 1}: ${color};`);
  return `svg { color: ${ink}; ${variables.join(' ')} }`;
}
