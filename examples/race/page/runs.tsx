import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { formatPercent } from '../../shared/page/format.js';
import { historyOf } from './describe.js';
import { formatCount } from './format.js';
import type { Race, Run } from './race.js';

interface RunsProps {
  readonly race: Race;
  readonly highlighted: Signal<string | undefined>;
}

/** Earlier students with their recipes; a press takes the recipe again. */
export function Runs({ race, highlighted }: RunsProps): JSX.Element | null {
  const runs = race.runs.value;
  if (runs.length === 0) return null;
  const highlight = (id: string | undefined) => () => {
    highlighted.value = id;
  };
  return (
    <div class="runs">
      <div class="heading">
        <h3>Earlier students</h3>
        <button
          type="button"
          class="small"
          onClick={({ currentTarget }) => {
            currentTarget.closest('section')?.focus(); // the button goes away
            race.forgetRuns();
          }}
        >
          Remove all
        </button>
      </div>
      <ul aria-label="Earlier students">
        {runs.map((run, index) => (
          <li key={run.id}>
            <button
              type="button"
              title="Take its last recipe again"
              onClick={() => race.teach(run.recipe)}
              onPointerEnter={highlight(run.id)}
              onPointerLeave={highlight(undefined)}
              onFocus={highlight(run.id)}
              onBlur={highlight(undefined)}
            >
              <span class="number">{numberOf(index, runs.length)}</span> {resultOf(run)}{' '}
              {historyOf(run.curve)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The number of an earlier student, here and in the chart: the oldest is 1. */
export function numberOf(index: number, count: number): number {
  return count - index;
}

function resultOf({ curve }: Run): JSX.Element | string {
  const last = curve.at(-1);
  if (!last) return '';
  return (
    <>
      <b>{formatPercent(last.accuracy)}</b> <small>step {formatCount(last.step)}</small>
    </>
  );
}
