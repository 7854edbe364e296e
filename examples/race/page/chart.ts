import { effect, type ReadonlySignal } from '@preact/signals';
import type uPlot from 'uplot';
import { AXIS } from '../../shared/page/chart.js';
import { formatPercent } from '../../shared/page/format.js';
import type { CurvePoint } from '../worker/protocol.js';
import { color } from './palette.js';
import type { Race, Run } from './race.js';
import { numberOf } from './runs.js';

interface View {
  /** The earlier student whose curve stands out. */
  readonly highlighted: ReadonlySignal<string | undefined>;
  /** Smallest accuracy on the axis. */
  readonly lowest: ReadonlySignal<number>;
}

/** Keeps a chart in `place` up to date, until the function that it resolves to is called. */
export async function drawChart(place: HTMLElement, race: Race, view: View): Promise<() => void> {
  const { default: UPlot } = await import('uplot');
  let plot: uPlot | undefined;
  const stopShape = effect(() => {
    color('--ink'); // subscribes
    plot?.destroy();
    const { clientWidth: width, clientHeight: height } = place;
    const options = optionsFor(race.runs.value, view.highlighted.value, view.lowest.value);
    plot = new UPlot({ ...options, width, height }, [[]], place);
    plot.setData(seriesOf(race));
  });
  const stopData = effect(() => plot?.setData(seriesOf(race)));
  const sizes = new ResizeObserver(() =>
    plot?.setSize({ width: place.clientWidth, height: place.clientHeight }),
  );
  sizes.observe(place);
  return () => {
    stopShape();
    stopData();
    sizes.disconnect();
    plot?.destroy();
  };
}

/** Returns the steps, and at each of them the accuracy of every line of the chart. */
function seriesOf(race: Race): uPlot.AlignedData {
  const end = race.end.value;
  const teacher = race.facts.value?.teacher.accuracy;
  const curves = [
    ...race.runs.value.map(({ curve }) => curve),
    race.students.labels.curve.value,
    race.students.taught.curve.value,
  ];
  const steps = [...new Set([0, end, ...curves.flatMap((curve) => curve.map(({ step }) => step))])];
  steps.sort((left, right) => left - right);
  const last = steps.at(-1);
  return [
    steps,
    steps.map((step) => (step === 0 || step === last ? teacher : null)),
    ...curves.map((curve) => valuesAt(steps, curve)),
  ];
}

function valuesAt(steps: readonly number[], curve: readonly CurvePoint[]): (number | null)[] {
  const points = new Map(curve.map(({ step, accuracy }) => [step, accuracy]));
  return steps.map((step) => points.get(step) ?? null);
}

function optionsFor(
  runs: readonly Run[],
  highlighted: string | undefined,
  lowest: number,
): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 12, 0, 0],
    scales: { x: { time: false }, y: { range: () => [lowest, 1] } },
    axes: [
      { ...AXIS, grid: { show: false }, size: 28 },
      {
        ...AXIS,
        size: 48,
        space: 44,
        values: (_, ticks) => ticks.map((tick) => formatPercent(tick, 0)),
      },
    ],
    series: [
      {},
      line('--teacher', 1.5, { dash: [7, 5] }),
      ...runs.map(({ id }) =>
        id === highlighted ? line('--ink', 3) : line('--student', 1.25, { alpha: 0.55 }),
      ),
      line('--labels', 3),
      line('--student', 3.5),
    ],
    hooks: { draw: [(plot) => numberRuns(plot, runs, highlighted)] },
  };
}

/** Writes the number of each earlier student at the end of its line. */
function numberRuns({ ctx, valToPos }: uPlot, runs: readonly Run[], highlighted?: string): void {
  ctx.save();
  ctx.font = `600 ${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  for (const [index, { id, curve }] of runs.entries()) {
    const { step, accuracy } = curve.at(-1)!;
    ctx.fillStyle = color(id === highlighted ? '--ink' : '--taught');
    const number = String(numberOf(index, runs.length));
    ctx.fillText(number, valToPos(step, 'x', true), valToPos(accuracy, 'y', true));
  }
  ctx.restore();
}

function line(property: string, width: number, more: Partial<uPlot.Series> = {}): uPlot.Series {
  return { stroke: color(property), width, spanGaps: true, points: { show: false }, ...more };
}
