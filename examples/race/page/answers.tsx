import type { JSX } from 'preact';
import { mostLikelyOf } from '../../shared/statistics.js';

import { formatCount, formatPercent } from './format.js';
import type { ShownAnswer as Answer, Trainer, Who } from './trainer.js';

/** The answers of teacher and student, side by side. */
export function Answers({ trainer }: { readonly trainer: Trainer }): JSX.Element {
  const answers = trainer.answers.value;
  const facts = trainer.facts.value;
  const last = trainer.curve.value.at(-1);
  return (
    <>
      <AnswerCard
        who="teacher"
        parameters={facts?.teacher.parameters}
        accuracy={facts?.teacher.accuracy}
        answer={answers?.teacher}
        remark={answers && 'Has learned from the true labels'}
      />
      <AnswerCard
        who="student"
        parameters={facts?.student.parameters}
        accuracy={last?.accuracy}
        answer={answers?.student}
        remark={answers && compare(answers.teacher, answers.student)}
      />
    </>
  );
}

function compare(teacher: Answer, student: Answer): string {
  return mostLikelyOf(teacher.probabilities) === mostLikelyOf(student.probabilities)
    ? 'Agrees with the teacher'
    : 'Disagrees with the teacher';
}

interface AnswerCardProps {
  readonly who: Who;
  readonly parameters: number | undefined;
  readonly accuracy: number | undefined;
  readonly answer: Answer | undefined;
  readonly remark: string | undefined;
}

function AnswerCard({ who, parameters, accuracy, answer, remark }: AnswerCardProps): JSX.Element {
  const probabilities = answer?.probabilities;
  const best = probabilities && mostLikelyOf(probabilities);
  return (
    <section class={`card answer ${who}`} aria-labelledby={who}>
      <h2 id={who}>{who === 'teacher' ? 'Teacher' : 'Student'}</h2>
      <p class="facts">
        {parameters ? `${formatCount(parameters)} parameters` : 'Loading …'}
        <br />
        {parameters && (accuracy === undefined ? 'untrained' : `${formatPercent(accuracy)} right`)}
      </p>
      <p class="verdict">
        <output class="digit" aria-label={`The ${who} says`}>
          {best ?? '–'}
        </output>
        <span class="remark">{remark}</span>
      </p>
      <ul class="bars" aria-label={`What the ${who} gives each digit`}>
        {Array.from({ length: 10 }, (_, digit) => {
          const probability = probabilities?.[digit];
          return (
            <li key={digit} class={digit === best ? 'best' : undefined}>
              <span>{digit}</span>
              <span class="track" aria-hidden="true">
                <span class="fill" style={{ transform: `scaleX(${probability ?? 0})` }} />
              </span>
              <span class="value">
                {probability === undefined ? '' : formatPercent(probability, 0)}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
