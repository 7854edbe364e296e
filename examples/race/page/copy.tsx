import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';

interface CopyProps {
  readonly label: string;
  /** Returns the text to copy. */
  readonly text: () => string;
  /** The feedback after success. */
  readonly copied: string;
  /** The feedback after a refusal: how to copy by hand. */
  readonly refused: string;
}

/** A button that copies a text, with feedback that a screen reader announces. */
export function Copy({ label, text, copied, refused }: CopyProps): JSX.Element {
  const feedback = useSignal('');
  return (
    <span class="copy">
      <button type="button" onClick={() => copy(text(), feedback, copied, refused)}>
        {label}
      </button>
      <span role="status">{feedback}</span>
    </span>
  );
}

async function copy(
  text: string,
  feedback: Signal<string>,
  copied: string,
  refused: string,
): Promise<void> {
  feedback.value = ''; // the same text again would not be announced
  try {
    await navigator.clipboard.writeText(text);
    feedback.value = copied;
  } catch {
    feedback.value = refused;
  }
}
