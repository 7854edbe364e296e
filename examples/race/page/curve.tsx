import { effect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { formatCount, formatPercent } from './format.js';
import { color } from './palette.js';
import type { Trainer } from './trainer.js';

/** Length of the axis before the worker has reported the length of the training. */
const USUAL_STEPS = 700;

/** The student's accuracy on held-out digits over the steps of the training. */
export function Curve({ trainer }: { readonly trainer: Trainer }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const plot = drawCurve(place.current!, trainer);
    return () => plot.then((stop) => stop());
  }, [trainer]);

  const facts = trainer.facts.value;
  const curve = trainer.curve.value;
  const last = curve.at(-1);
  const earlier = trainer.earlierCurve.value.at(-1);
  return (
    <section class="card curve" aria-labelledby="curve">
      <h2 id="curve">The learning curve</h2>
      <p class="hint">
        On {facts ? formatCount(facts.heldOutImages) : 'some'} digits that neither of them has been
        trained on.
      </p>
      <ul class="legend">
        <li class="accuracy">student right {last && <b>{formatPercent(last.accuracy)}</b>}</li>
        <li class="agreement">
          agrees with the teacher {last && <b>{formatPercent(last.agreement)}</b>}
        </li>
        <li class="reference">
          teacher right {facts && <b>{formatPercent(facts.teacher.accuracy)}</b>}
        </li>
        {earlier && (
          <li class="earlier">
            earlier student right <b>{formatPercent(earlier.accuracy)}</b>
          </li>
        )}
      </ul>
      <div ref={place} class="plot" aria-hidden="true" />
      <details>
        <summary>The curve as a table</summary>

        <table>
          <thead>
            <tr>
              <th scope="col">Step</th>
              <th scope="col">Right</th>
              <th scope="col">Agrees with the teacher</th>
            </tr>
          </thead>
          <tbody>
            {curve.map(({ step, accuracy, agreement }) => (
              <tr key={step}>
                <th scope="row">{step}</th>
                <td>{formatPercent(accuracy)}</td>
                <td>{formatPercent(agreement)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}

/** Keeps a chart in `place` up to date, until the function that it resolves to is called. */
async function drawCurve(place: HTMLElement, trainer: Trainer): Promise<() => void> {
  const { default: UPlot } = await import('uplot');
  const plot = new UPlot(optionsFor(sizeOf(place), trainer), [[]], place);
  const stopData = effect(() => plot.setData(seriesOf(trainer)));
  const stopColors = effect(() => {
    color('--ink');
    plot.redraw();
  });
  const sizes = new ResizeObserver(() => plot.setSize(sizeOf(place)));
  sizes.observe(place);
  return () => {
    stopData();
    stopColors();
    sizes.disconnect();
    plot.destroy();
  };
}

/**
 * Returns the data of the chart: steps, then at each step the accuracy of the earlier student, of
 * the teacher and of the student, and the agreement.
 */
function seriesOf(trainer: Trainer): uPlot.AlignedData {
  const curve = trainer.curve.value;
  const earlier = trainer.earlierCurve.value;
  const facts = trainer.facts.value;
  const end = facts?.steps ?? USUAL_STEPS;
  const steps = [...new Set([0, end, ...[...curve, ...earlier].map(({ step }) => step)])];
  steps.sort((left, right) => left - right);
  const now = new Map(curve.map((point) => [point.step, point]));
  const before = new Map(earlier.map((point) => [point.step, point]));
  return [
    steps,
    steps.map((step) => before.get(step)?.accuracy ?? null),
    steps.map((step) => (step === 0 || step === end ? facts?.teacher.accuracy : null)),
    steps.map((step) => now.get(step)?.accuracy ?? null),
    steps.map((step) => now.get(step)?.agreement ?? null),
  ];
}

function sizeOf({
  clientWidth,
  clientHeight,
}: HTMLElement): Pick<uPlot.Options, 'width' | 'height'> {
  return { width: clientWidth, height: clientHeight };
}

function optionsFor(
  size: Pick<uPlot.Options, 'width' | 'height'>,
  trainer: Trainer,
): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: () => color('--muted'),
    grid: { stroke: () => color('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  return {
    ...size,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 12, 0, 0],
    scales: {
      x: { time: false, range: () => [0, trainer.facts.peek()?.steps ?? USUAL_STEPS] },
      y: { range: () => [0, 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 28 },
      { ...axis, size: 48, values: (_, ticks) => ticks.map((tick) => formatPercent(tick, 0)) },
    ],
    series: [
      {},
      line('--muted', 1.5, [2, 3]),
      line('--teacher', 1.5, [7, 5]),
      line('--student', 3.5),
      line('--ink', 1),
    ],
  };
}

function line(property: string, width: number, dash?: number[]): uPlot.Series {
  return {
    stroke: () => color(property),
    width,
    spanGaps: true,
    points: { show: false },
    ...(dash && { dash }),
  };
}
