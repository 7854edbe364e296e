import type uPlot from 'uplot';
import { AXIS, color } from '../../../shared/page/chart.js';
import { formatPercent } from '../../../shared/page/format.js';
import { FRAME_SECONDS } from '../../detector/features.js';
import { decide, THRESHOLD } from '../../scores.js';
import { type Trace, WHO } from '../trace.js';

/** Width of the axis of probabilities; style.css has it for the slider under the chart. */
const AXIS_WIDTH = 44;

/** Where the stripes of decisions are, in probabilities: below the curves. */
const STRIPES = { teacher: -0.07, student: -0.15 };
const STRIPE_HEIGHT = 0.05;
const BOTTOM = -0.18;

/** A chart of a trace. */
export interface Chart {
  /** Shows a trace; time is counted back from now if it is live. */
  readonly show: (trace: Trace, live: boolean) => void;
  /** Marks a frame, or none. */
  readonly mark: (frame: number | undefined) => void;
  readonly remove: () => void;
}

/** Draws a chart that fills a place. */
export async function drawTimeline(place: HTMLElement): Promise<Chart> {
  const { default: UPlot } = await import('uplot');
  let shown: Trace | undefined;
  const plot = new UPlot(
    optionsFor(sizeOf(place), (self) => shown && drawDecisions(self, shown)),
    [[], [], [], []],
    place,
  );
  const line = document.createElement('div');
  line.className = 'mark';
  line.hidden = true;
  plot.over.append(line);
  const resizing = new ResizeObserver(() => plot.setSize(sizeOf(place)));
  resizing.observe(place);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const repaint = (): void => plot.redraw();
  scheme.addEventListener('change', repaint);
  return {
    show(trace, live) {
      shown = trace;
      const frames = trace.student.length;
      const from = live ? -frames : 0;
      const times = Array.from({ length: frames }, (_, i) => (from + i) * FRAME_SECONDS);
      const [loudness, teacher, student] = [trace.loudness, trace.teacher, trace.student].map(
        (values) => Array.from(values, (value) => (Number.isNaN(value) ? null : value)),
      );
      plot.setData([times, loudness!, teacher!, student!]);
    },
    mark(frame) {
      const frames = shown?.student.length ?? 0;
      line.hidden = frame === undefined || frames === 0;
      if (frame !== undefined) line.style.insetInlineStart = `${(100 * frame) / (frames - 1)}%`;
    },
    remove() {
      resizing.disconnect();
      scheme.removeEventListener('change', repaint);
      plot.destroy();
    },
  };
}

/** Draws a stripe under the curves for each model, where it decides for speech. */
function drawDecisions(plot: uPlot, trace: Trace): void {
  const { ctx } = plot;
  const height = plot.valToPos(0, 'y', true) - plot.valToPos(STRIPE_HEIGHT, 'y', true);
  for (const who of WHO) {
    const top = plot.valToPos(STRIPES[who] + STRIPE_HEIGHT / 2, 'y', true);
    ctx.fillStyle = color(`--${who}`);
    trace[who].forEach((probability, frame) => {
      if (!decide(probability)) return;
      const left = plot.valToPos(plot.data[0][frame]!, 'x', true);
      const right = plot.valToPos(plot.data[0][frame]! + FRAME_SECONDS, 'x', true);
      ctx.fillRect(left, top, right - left + 0.5, height);
    });
  }
}

function optionsFor(
  size: Pick<uPlot.Options, 'width' | 'height'>,
  draw: (plot: uPlot) => void,
): uPlot.Options {
  return {
    ...size,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 12, 0, 0],
    scales: { x: { time: false }, y: { range: () => [BOTTOM, 1] } },
    axes: [
      {
        ...AXIS,
        grid: { show: false },
        size: 26,
        values: (_, seconds) => seconds.map(formatSeconds),
      },
      {
        ...AXIS,
        size: AXIS_WIDTH,
        splits: () => [0, THRESHOLD, 1],
        values: (_, splits) => splits.map((split) => formatPercent(split, 0)),
      },
    ],
    series: [
      {},
      { fill: () => color('--loudness'), width: 0, points: { show: false }, fillTo: () => 0 },
      line('--teacher', 4),
      line('--student', 1.75),
    ],
    hooks: { draw: [draw] },
  };
}

/** Names a time in a clip, or a time before now. */
function formatSeconds(seconds: number): string {
  return `${seconds < 0 ? '−' : ''}${Math.abs(seconds)} s`;
}

function line(property: string, width: number): uPlot.Series {
  return { stroke: () => color(property), width, points: { show: false } };
}

function sizeOf({
  clientWidth,
  clientHeight,
}: HTMLElement): Pick<uPlot.Options, 'width' | 'height'> {
  return { width: clientWidth, height: clientHeight };
}
