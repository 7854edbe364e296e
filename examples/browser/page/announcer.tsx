import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { formatPercent, mostLikelyOf } from './format.js';
import type { Status, Trainer } from './trainer.js';

/** The pen has to rest so long, in milliseconds, before anything is said. */
const REST = 800;

/** Says what both answer once the drawing rests, and where the training begins, pauses and ends. */
export function Announcer({ trainer }: { readonly trainer: Trainer }): JSX.Element {
  const text = useSignal('');
  useSignalEffect(() => {
    if (!trainer.pixels.value) return;
    const timer = setTimeout(() => {
      const said = sayAnswers(trainer);
      if (said) text.value = said;
    }, REST);
    return () => clearTimeout(timer);
  });
  useSignalEffect(() => {
    const said = sayStatus(trainer.status.value, trainer);
    if (said) text.value = said;
  });
  return (
    <p class="visually-hidden" aria-live="polite">
      {text}
    </p>
  );
}

function sayAnswers({ answers }: Trainer): string | undefined {
  const both = answers.peek();
  if (!both) return undefined;
  const [teacher, student] = [both.teacher, both.student].map(({ probabilities }) => {
    const digit = mostLikelyOf(probabilities);
    return `${digit}, ${formatPercent(probabilities[digit]!, 0)}`;
  });
  return `The teacher says ${teacher}. The student says ${student}.`;
}

function sayStatus(status: Status, { step, curve }: Trainer): string | undefined {
  const last = curve.peek().at(-1);
  const result = last ? `: right on ${formatPercent(last.accuracy)} of the held-out digits` : '';
  switch (status) {
    case 'training':
      return 'The student is training.';
    case 'ready':
      return step.peek() > 0 ? `Paused at step ${step.peek()}${result}.` : 'Ready to train.';
    case 'finished':
      return `The training is finished${result}.`;
    case 'opening': // of no interest
    case 'failed': // an alert, which says so itself
      return undefined;
  }
}
