import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { formatPercent } from '../../shared/page/format.js';
import { mostLikelyOf } from '../../shared/statistics.js';
import type { Race } from './race.js';

/** Milliseconds for which the pen must rest before an announcement. */
const REST = 800;

/** Announces the verdicts once the drawing rests, and when the race starts, pauses and ends. */
export function Announcer({ race }: { readonly race: Race }): JSX.Element {
  const text = useSignal('');
  const rested = useSignal<Float32Array | undefined>(undefined);
  useSignalEffect(() => {
    const pixels = race.pixels.value;
    const timer = setTimeout(() => {
      rested.value = pixels;
    }, REST);
    return () => clearTimeout(timer);
  });
  useSignalEffect(() => {
    const { teacher, students } = race;
    const answers = [teacher, students.labels.answer, students.taught.answer].map(
      ({ value }) => value,
    );
    if (!rested.value || !answers.every((answer) => answer?.pixels === rested.value)) return;
    text.value = sayVerdicts(answers.map((answer) => mostLikelyOf(answer!.logits)));
    rested.value = undefined; // announces each drawing once
  });
  useSignalEffect(() => {
    const said = sayStatus(race);
    if (said) text.value = said;
  });
  return (
    <p class="visually-hidden" aria-live="polite">
      {text}
    </p>
  );
}

function sayVerdicts([teacher, labels, taught]: readonly number[]): string {
  return `The teacher says ${teacher}, the student with labels only ${labels}, the taught student ${taught}.`;
}

function sayStatus(race: Race): string | undefined {
  switch (race.status.value) {
    case 'training':
      return 'The students are training.';
    case 'ready':
      return sayRest(race);
    default: // loading is of no interest, and a failure is an alert, which says so itself
      return undefined;
  }
}

function sayRest(race: Race): string | undefined {
  const step = race.step.value;
  if (step === 0) return 'Ready to race.';
  if (race.isLapOver.value) return `The lap is over at step ${step}${sayScores(race)}.`;
  // At the end of a lap, the last results are still to come.
  return step === race.end.value ? undefined : `Paused at step ${step}${sayScores(race)}.`;
}

function sayScores({ students: { labels, taught } }: Race): string {
  const [left, right] = [labels.curve.value.at(-1), taught.curve.value.at(-1)];
  if (!left || !right) return '';
  return `: labels only ${formatPercent(left.accuracy)} right, taught ${formatPercent(right.accuracy)} right`;
}
