import { readFileSync } from 'node:fs';

// The picture of the home page: the learning curves of a race, drawn as they were recorded by
// tools/recordRace.ts. They grow once, in a few seconds, and stand still for those who prefer that.

type Curve = readonly (readonly [step: number, accuracy: number])[];
type Lane = 'labels' | 'taught';

const WIDTH = 560;
const HEIGHT = 330;
const LEFT = 44;
/** Room for the names of the curves. */
const RIGHT = 150;
const TOP = 16;
const BOTTOM = 34;

/** The curves as SVG whose colours and growth are those of `.curves` in theme/style.css. */
export function drawCurves(): string {
  const file = new URL('race.json', import.meta.url);
  const curves: Record<Lane, Curve> = JSON.parse(readFileSync(file, 'utf8'));
  const steps = curves.taught.at(-1)![0];
  const x = (step: number): number => LEFT + (step / steps) * (WIDTH - LEFT - RIGHT);
  const y = (accuracy: number): number => TOP + (1 - accuracy) * (HEIGHT - TOP - BOTTOM);
  const lines = [0, 0.25, 0.5, 0.75, 1].map((value) => {
    const height = y(value).toFixed(1);
    return `<path class="grid" d="M${LEFT} ${height}H${x(steps)}"/><text class="tick" x="${LEFT - 8}" y="${height}" dy="0.35em" text-anchor="end">${100 * value} %</text>`;
  });
  const names: Record<Lane, string> = { taught: 'the teacher’s answers', labels: 'labels' };
  const drawn = (Object.keys(names) as Lane[]).map((lane) => {
    const points = curves[lane].map(
      ([step, part]) => `${x(step).toFixed(1)} ${y(part).toFixed(1)}`,
    );
    const end = y(curves[lane].at(-1)![1]);
    const name = `<text class="name" x="${x(steps) + 10}" y="${end.toFixed(1)}" dy="0.2em"><tspan class="end">${percentOf(curves[lane])} %</tspan><tspan x="${x(steps) + 10}" dy="1.3em">${names[lane]}</tspan></text>`;
    return `<g class="${lane}"><path class="curve" d="M${points.join('L')}"/>${name}</g>`;
  });
  const axis = [
    `<text class="tick" x="${LEFT}" y="${HEIGHT - 8}">right on unseen digits</text>`,
    `<text class="tick" x="${x(steps)}" y="${HEIGHT - 8}" text-anchor="end">${steps} steps</text>`,
  ].join('');
  const label = `Learning curves. Taught by labels, the student ends at ${percentOf(curves.labels)} % right; taught by the teacher’s answers, at ${percentOf(curves.taught)} %.`;
  return `<svg class="curves" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${lines.join('')}${axis}${drawn.join('')}</svg>`;
}

function percentOf(curve: Curve): number {
  return Math.round(100 * curve.at(-1)![1]);
}
