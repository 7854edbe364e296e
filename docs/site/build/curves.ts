import { lastOf, type Measured, RESULTS } from '../../../examples/race/results.js';

// The picture of the home page: the learning curves of a race, as they were recorded by
// `npm run example:race:presets`. They grow once, in a few seconds, and stand still for those who
// prefer that.

type Lane = 'labels' | 'taught';

const WIDTH = 560;
const HEIGHT = 330;
const LEFT = 56;
/** Room for the names of the curves. */
const RIGHT = 175;
const TOP = 16;
const BOTTOM = 34;

/** The curves as SVG whose colours and growth are those of `.curves` in theme/style.css. */
export function drawCurves(): string {
  const students: Record<Lane, Measured> = {
    labels: RESULTS.students['Labels only'],
    taught: RESULTS.students['The teacher’s answers'],
  };
  const steps = lastOf(students.taught).step;
  const x = (step: number): number => LEFT + (step / steps) * (WIDTH - LEFT - RIGHT);
  const y = (accuracy: number): number => TOP + (1 - accuracy) * (HEIGHT - TOP - BOTTOM);
  const lines = [0, 0.25, 0.5, 0.75, 1].map((value) => {
    const height = y(value).toFixed(1);
    return `<path class="grid" d="M${LEFT} ${height}H${x(steps)}"/><text class="tick" x="${LEFT - 8}" y="${height}" dy="0.35em" text-anchor="end">${100 * value} %</text>`;
  });
  const names: Record<Lane, string> = { taught: 'the teacher’s answers', labels: 'labels' };
  const drawn = (Object.keys(names) as Lane[]).map((lane) => {
    const points = students[lane].curve.map(
      ({ step, accuracy }) => `${x(step).toFixed(1)} ${y(accuracy).toFixed(1)}`,
    );
    const end = y(lastOf(students[lane]).accuracy);
    const name = `<text class="name" x="${x(steps) + 10}" y="${end.toFixed(1)}" dy="0.2em"><tspan class="end">${percentOf(students[lane])} %</tspan><tspan x="${x(steps) + 10}" dy="1.3em">${names[lane]}</tspan></text>`;
    return `<g class="${lane}"><path class="curve" d="M${points.join('L')}"/>${name}</g>`;
  });
  const axis = [
    `<text class="tick" x="${LEFT}" y="${HEIGHT - 8}">right on unseen digits</text>`,
    `<text class="tick" x="${x(steps)}" y="${HEIGHT - 8}" text-anchor="end">${steps} steps</text>`,
  ].join('');
  const label = `Learning curves. Taught by labels, the student ends at ${percentOf(students.labels)} % right; taught by the teacher’s answers, at ${percentOf(students.taught)} %.`;
  return `<svg class="curves" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${lines.join('')}${axis}${drawn.join('')}</svg>`;
}

function percentOf(student: Measured): number {
  return Math.round(100 * lastOf(student).accuracy);
}
