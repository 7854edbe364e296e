import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { formatPercent } from '../../../shared/page/format.js';
import { decide } from '../../scores.js';
import type { Listening } from '../listening.js';
import { agreementOf } from '../trace.js';

/**
 * Announces what has been heard, once it has ended. Nothing is said meanwhile: a screen reader
 * would talk over the sound, and into the microphone.
 */
export function Announcer({ listening }: { readonly listening: Listening }): JSX.Element {
  const text = useSignal('');
  const before = useSignal(listening.status.peek());
  useSignalEffect(() => {
    const status = listening.status.value;
    if (status === 'still' && before.peek() === 'playing') text.value = summarize(listening);
    if (status === 'still' && before.peek() === 'listening') {
      text.value = `The microphone is off. ${summarize(listening)}`;
    }
    if (status === 'playing' || status === 'listening') text.value = '';
    before.value = status;
  });
  useSignalEffect(() => {
    if (listening.teacherStatus.value === 'ready') text.value = 'The teacher is loaded.';
  });
  return (
    <p class="visually-hidden" aria-live="polite">
      {text}
    </p>
  );
}

function summarize(listening: Listening): string {
  const trace = listening.trace.peek();
  const heard = trace.student.filter((probability) => !Number.isNaN(probability));
  if (heard.length === 0) return 'The student has heard nothing.';
  const speech = heard.filter(decide).length / heard.length;
  const agreement = agreementOf(trace);
  const compared =
    agreement === undefined ? '' : `, and decides as the teacher in ${formatPercent(agreement, 0)}`;
  return `The student hears speech in ${formatPercent(speech, 0)} of the frames${compared}.`;
}
