import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { formatPercent } from '../../shared/page/format.js';
import { describe, presetNameOf } from './describe.js';
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
        {runs.map((run) => (
          <li key={run.id}>
            <button
              type="button"
              title="Take this recipe again"
              onClick={() => race.teach(run.recipe)}
              onPointerEnter={highlight(run.id)}
              onPointerLeave={highlight(undefined)}
              onFocus={highlight(run.id)}
              onBlur={highlight(undefined)}
            >
              {resultOf(run)} {presetNameOf(run.recipe) ?? describe(run.recipe)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
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
