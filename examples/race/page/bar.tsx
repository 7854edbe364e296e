import type { JSX } from 'preact';
import { formatPercent } from '../../shared/page/format.js';
import { mostLikelyOf } from '../../shared/statistics.js';
import { formatCount } from './format.js';
import { agrees } from './lane.js';
import type { Lane } from './lanes.js';
import type { Race } from './race.js';
import { save } from './storage.js';

/** The bar that stays in sight: the main button and the verdicts, or the notice of a failure. */
export function Bar({ race }: { readonly race: Race }): JSX.Element {
  const hasFailed = race.status.value === 'failed';
  return (
    <section class="bar" aria-label="Training">
      {hasFailed ? <Failure race={race} /> : <Progress race={race} />}
      <MainButton race={race} />
      {!hasFailed && <Results race={race} />}
    </section>
  );
}

function Progress({ race }: { readonly race: Race }): JSX.Element {
  const step = race.step.value;
  const end = race.end.value;
  return (
    <progress
      aria-label="Training steps"
      max={end}
      value={step}
      aria-valuetext={`${step} of ${end} steps`}
    />
  );
}

/** The same button in every state, so that it keeps the focus. */
function MainButton({ race }: { readonly race: Race }): JSX.Element {
  const press = pressOf(race);
  return (
    <button
      type="button"
      class="primary"
      aria-disabled={!press} // if it were disabled, it would lose the focus
      onClick={() => press?.(race)}
    >
      {mainLabelOf(race)}
    </button>
  );
}

function pressOf({ status }: Race): ((race: Race) => void) | undefined {
  switch (status.value) {
    case 'training':
      return pause;
    case 'ready':
      return train;
    case 'failed':
      return (race) => race.goOn();
    default:
      return undefined;
  }
}

function Results({ race }: { readonly race: Race }): JSX.Element {
  const step = race.step.value;
  return (
    <>
      <p class="steps">
        step <b data-testid="step">{formatCount(step)}</b> of {formatCount(race.end.value)}
      </p>
      <ul class="verdicts" aria-label="Verdicts">
        <Teacher race={race} />
        <Verdict race={race} lane="labels" />
        <Verdict race={race} lane="taught" />
      </ul>
    </>
  );
}

function train(race: Race): void {
  race.train();
  save('isPaused', false);
}

function pause(race: Race): void {
  race.pause();
  save('isPaused', true); // after a reload, the race does not start by itself
}

function mainLabelOf({ status, step, progress }: Race): string {
  switch (status.value) {
    case 'training':
      return 'Pause';
    case 'ready':
      return step.value > 0 ? 'Go on' : 'Start the race';
    case 'failed':
      return step.value > 0 ? `Go on from step ${step.value}` : 'Try again';
    default:
      if (progress.value === 1) return 'Almost ready …';
      return `Loading ${formatPercent(progress.value, 0)}`;
  }
}

function Teacher({ race }: { readonly race: Race }): JSX.Element {
  const answer = race.teacher.value;
  const accuracy = race.facts.value?.teacher.accuracy;
  return (
    <li class="teacher">
      <span>
        teacher<span class="wide"> says</span>
      </span>{' '}
      <b>{answer ? mostLikelyOf(answer.logits) : '–'}</b>{' '}
      <span>
        {accuracy !== undefined && formatPercent(accuracy, 0)}
        <span class="wide"> right</span>
      </span>
    </li>
  );
}

function Verdict({ race, lane }: { readonly race: Race; readonly lane: Lane }): JSX.Element {
  const { answer, curve } = race.students[lane];
  const last = curve.value.at(-1);
  return (
    <li class={lane}>
      <span>{lane}</span>{' '}
      <b>
        {answer.value ? mostLikelyOf(answer.value.logits) : '–'} {markOf(agrees(race, lane))}
      </b>{' '}
      <span>
        {last && formatPercent(last.accuracy, 0)}
        {last && <span class="wide"> right</span>}
      </span>
    </li>
  );
}

function markOf(isSame: boolean | undefined): string {
  if (isSame === undefined) return '';
  return isSame ? '✓' : '✗';
}

function Failure({ race }: { readonly race: Race }): JSX.Element {
  const step = race.step.value;
  return (
    <div role="alert" class="failure">
      <h2>The training has stopped</h2>
      <p class="reason">
        {race.failure.value} Your drawing, the recipe and the students as they were at step {step}{' '}
        are kept. If it happens again, close other tabs and reload the page.
      </p>
    </div>
  );
}
