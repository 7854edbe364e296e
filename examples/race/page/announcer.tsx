import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { mostLikelyOf } from '../../shared/statistics.js';

import { formatPercent } from './format.js';
import type { ShownAnswer as Answer, Answers, Status, Trainer } from './trainer.js';

/** Milliseconds for which the pen must rest before an announcement. */
const REST = 800;

/** Announces both answers once the drawing rests, and when the training starts, pauses and ends. */
export function Announcer({ trainer }: { readonly trainer: Trainer }): JSX.Element {
  const text = useSignal('');
  const rested = useSignal<Float32Array | undefined>(undefined);
  useSignalEffect(() => {
    const pixels = trainer.pixels.value;
    const timer = setTimeout(() => {
      rested.value = pixels;
    }, REST);
    return () => clearTimeout(timer);
  });
  useSignalEffect(() => {
    const answers = trainer.answers.value;
    if (!answers || answers.pixels !== rested.value) return;
    text.value = sayAnswers(answers);
    rested.value = undefined; // announces each drawing once
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

function sayAnswers({ teacher, student }: Answers): string {
  return `The teacher says ${say(teacher)}. The student says ${say(student)}.`;
}

function say({ probabilities }: Answer): string {
  const digit = mostLikelyOf(probabilities);
  return `${digit}, ${formatPercent(probabilities[digit]!, 0)}`;
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
