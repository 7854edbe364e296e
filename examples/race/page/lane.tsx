import type { JSX } from 'preact';
import { formatPercent } from '../../shared/page/format.js';
import { mostLikelyOf } from '../../shared/statistics.js';
import { RESULTS } from '../results.js';
import { Bars } from './bars.js';
import { lessonOf, NAMES } from './describe.js';
import { formatCount } from './format.js';
import type { Lane } from './lanes.js';
import { LEAD } from './pace.js';
import type { Race } from './race.js';
import { soften } from './soften.js';

interface LaneProps {
  readonly race: Race;
  readonly lane: Lane;
}

/** One of the two students: its score, its answer for the drawing, and how it learns. */
export function LaneCard({ race, lane }: LaneProps): JSX.Element {
  const student = race.students[lane];
  const logits = student.answer.value?.logits;
  const probabilities = logits && soften(logits, 1);
  const last = student.curve.value.at(-1);
  return (
    <section class={`card answer ${lane}`} aria-labelledby={lane}>
      <div class="heading">
        <h2 id={lane}>{NAMES[lane]}</h2>
        <p class="score">
          <b data-testid={`${lane}-accuracy`}>{last ? formatPercent(last.accuracy) : '–'}</b> right
        </p>
      </div>
      <p class="facts">{lessonOf(student.recipe.value, race.facts.value ?? RESULTS.facts)}</p>
      <p class="verdict">
        <output class="digit" aria-label={`${NAMES[lane]}: the student says`}>
          {probabilities ? mostLikelyOf(probabilities) : '–'}
        </output>
        <span class="remark">{probabilities && remarkOf(race, lane)}</span>
      </p>
      <Bars label={`What this student gives each digit`} probabilities={probabilities} />
      <p class="step">
        Step <b data-testid={`${lane}-step`}>{formatCount(student.step.value)}</b>
        {student.step.value > race.step.value + LEAD && ', waits for the other student'}
      </p>
    </section>
  );
}

/** Compares a student's answer with the teacher's. */
export function agrees(race: Race, lane: Lane): boolean | undefined {
  const teacher = race.teacher.value;
  const student = race.students[lane].answer.value;
  return teacher && student && mostLikelyOf(teacher.logits) === mostLikelyOf(student.logits);
}

function remarkOf(race: Race, lane: Lane): string {
  return agrees(race, lane) ? '✓ agrees with the teacher' : '✗ disagrees with the teacher';
}
