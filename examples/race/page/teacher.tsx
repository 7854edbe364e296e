import type { JSX } from 'preact';
import { formatPercent } from '../../shared/page/format.js';
import { mostLikelyOf } from '../../shared/statistics.js';
import { RESULTS } from '../results.js';
import { Bars } from './bars.js';
import { hearsTeacher, likenessOf } from './describe.js';
import { formatCount, formatProbability } from './format.js';
import type { Race } from './race.js';
import { soften } from './soften.js';
import { Temperature } from './temperature.js';

/** The teacher's answer, and what the taught student is told of it. */
export function TeacherCard({ race }: { readonly race: Race }): JSX.Element {
  const logits = race.teacher.value?.logits;
  const recipe = race.recipe.value;
  const teacher = race.facts.value?.teacher;
  const own = logits && soften(logits, 1);
  const told = logits && hearsTeacher(recipe) ? soften(logits, recipe.temperature) : undefined;
  const best = own && mostLikelyOf(own);
  return (
    <section class="card answer teacher" aria-labelledby="teacher">
      <div class="heading">
        <h2 id="teacher">Teacher</h2>
        <p class="score">
          <b>{teacher ? formatPercent(teacher.accuracy) : '–'}</b> right
        </p>
      </div>
      <p class="facts">
        {teacher &&
          `${formatCount(teacher.parameters)} parameters, ${formatCount(RESULTS.teacherLabels)} labels`}
      </p>
      <p class="verdict">
        <output class="digit" aria-label="The teacher says">
          {best ?? '–'}
        </output>
        <span class="remark">{own && `${formatProbability(own[best!]!)} sure`}</span>
      </p>
      <Bars
        label={told ? 'What the teacher tells the student' : 'What the teacher gives each digit'}
        probabilities={told ?? own}
        original={told && own}
      />
      <p class="told">
        {told ? (
          <>
            <b>Told at T = {recipe.temperature}:</b> {formatProbability(told[best!]!)} instead of{' '}
            {formatProbability(own![best!]!)}. It is {likenessOf(own!)}. The thin bars are its own
            answer.
          </>
        ) : (
          own && 'The student is told nothing of this answer.'
        )}
      </p>
      <Temperature race={race} />
    </section>
  );
}
