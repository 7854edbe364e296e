import { parse, View } from 'vega';
import { type Config, compile, type TopLevelSpec } from 'vega-lite';

const CONFIG: Config = {
  font: 'sans-serif',
  axis: { labelFontSize: 12, titleFontSize: 13, titlePadding: 10 },
  title: { anchor: 'start', fontSize: 16, subtitleFontSize: 13, offset: 12 },
  legend: { labelFontSize: 12 },
};

/** Renders a chart as SVG on a white background, so that it is readable in light and dark pages. */
export function drawChart(chart: TopLevelSpec): Promise<string> {
  const card = { background: 'white', padding: 12, ...chart };
  const { spec } = compile(card, { config: CONFIG });
  return new View(parse(spec), { renderer: 'none' }).toSVG();
}
