import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { formatPercent } from '../../shared/page/format.js';
import { RESULTS } from '../results.js';
import { drawChart } from './chart.js';
import { historyOf, NAMES, nameOf } from './describe.js';
import { formatCount } from './format.js';
import type { Lane } from './lanes.js';
import type { Race } from './race.js';
import { isSameRecipe, recipesOf } from './recipes.js';
import { Runs } from './runs.js';
import type { Student } from './student.js';

const RANGES = [
  { lowest: 0, label: '0–100 %' },
  { lowest: 0.7, label: '70–100 %' },
] as const;

/** The accuracy of both students, of the teacher and of earlier students over the steps. */
export function Curve({ race }: { readonly race: Race }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const highlighted = useSignal<string | undefined>(undefined);
  const lowest = useSignal(0);
  useEffect(() => {
    const chart = drawChart(place.current!, race, { highlighted, lowest });
    return () => chart.then((stop) => stop());
  }, [race, highlighted, lowest]);

  const facts = race.facts.value;
  return (
    <section class="card curve" aria-labelledby="curve" tabIndex={-1}>
      <div class="heading">
        <h2 id="curve">The race</h2>
        <fieldset class="ranges">
          <legend class="visually-hidden">Range of the chart</legend>
          {RANGES.map((range) => (
            <button
              key={range.lowest}
              type="button"
              class="small"
              aria-pressed={lowest.value === range.lowest}
              onClick={() => {
                lowest.value = range.lowest;
              }}
            >
              {range.label}
            </button>
          ))}
        </fieldset>
      </div>
      <p class="hint">{hintOf(race)}</p>
      <ul class="legend">
        {(['taught', 'labels'] as const).map((lane) => (
          <Entry key={lane} race={race} lane={lane} />
        ))}
        <li class="teacher">teacher {facts && <b>{formatPercent(facts.teacher.accuracy)}</b>}</li>
      </ul>
      <div ref={place} class="plot" aria-hidden="true" />
      <Runs race={race} highlighted={highlighted} />
      <Table race={race} />
    </section>
  );
}

/** Says how to read the chart; at the end of a lap, how it went. */
function hintOf(race: Race): string {
  const { labels, taught } = race.students;
  const [left, right] = [labels.curve.value.at(-1), taught.curve.value.at(-1)];
  if (race.isLapOver.value && left && right) {
    return `After ${formatCount(race.step.value)} steps: ${formatPercent(right.accuracy)} right against ${formatPercent(left.accuracy)}. Go on for another lap, or train a new student with another recipe.`;
  }
  const { heldOutImages } = race.facts.value ?? RESULTS.facts;
  return `Right answers on ${formatCount(heldOutImages)} digits that none of the three has learned from. Differences of less than about three points may be chance.`;
}

interface EntryProps {
  readonly race: Race;
  readonly lane: Lane;
}

function Entry({ race, lane }: EntryProps): JSX.Element {
  const student = race.students[lane];
  const last = student.curve.value.at(-1);
  return (
    <li class={lane}>
      {NAMES[lane].toLowerCase()} {last && <b>{formatPercent(last.accuracy)}</b>}
      {lane === 'taught' && <small> {lessonsOf(student)}</small>}
    </li>
  );
}

/** The recipes that trained a student and, if it has not trained with it yet, the next one. */
function lessonsOf({ curve, recipe }: Student): string {
  const last = recipesOf(curve.value).at(-1);
  const next = nameOf(recipe.value);
  if (!last) return next;
  const isNext = !isSameRecipe(last, recipe.value);
  return `${historyOf(curve.value)}${isNext ? `; next: ${next}` : ''}`;
}

function Table({ race }: { readonly race: Race }): JSX.Element {
  const { labels, taught } = race.students;
  const other = new Map(labels.curve.value.map((point) => [point.step, point]));
  const steps = new Set([...other.keys(), ...taught.curve.value.map(({ step }) => step)]);
  const own = new Map(taught.curve.value.map((point) => [point.step, point]));
  return (
    <details>
      <summary>The curves as a table</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Labels only</th>
            <th scope="col">Taught</th>
            <th scope="col">Taught agrees with the teacher</th>
          </tr>
        </thead>
        <tbody>
          {[...steps]
            .sort((left, right) => left - right)
            .map((step) => (
              <tr key={step}>
                <th scope="row">{step}</th>
                <td>{percentOf(other.get(step)?.accuracy)}</td>
                <td>{percentOf(own.get(step)?.accuracy)}</td>
                <td>{percentOf(own.get(step)?.agreement)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </details>
  );
}

function percentOf(value: number | undefined): string {
  return value === undefined ? '–' : formatPercent(value);
}
