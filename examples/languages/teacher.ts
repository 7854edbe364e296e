import lande from 'lande';
import { Phase } from '../shared/progress.js';
import { LANGUAGE_NAMES } from './messages.js';

/** Sentences between two updates of the progress bar. */
const REPORT_EVERY = 100;

/**
 * Returns the teacher's log-probabilities of the languages in this example for every sentence; the
 * other 38 are left out. They serve as logits: a row of log-probabilities differs from its logits
 * by a constant, which a softmax ignores at any temperature.
 */
export function askTeacher(texts: readonly string[]): Float32Array {
  const classes = LANGUAGE_NAMES.length;
  const logits = new Float32Array(texts.length * classes);
  const phase = new Phase('teacher: lande', texts.length);
  texts.forEach((text, row) => {
    const probabilities = new Map(lande(text));
    LANGUAGE_NAMES.forEach((language, column) => {
      logits[row * classes + column] = Math.log(probabilities.get(language) ?? 0);
    });
    if ((row + 1) % REPORT_EVERY === 0) phase.update(row + 1);
  });
  phase.finish(`${texts.length} sentences`);
  return logits;
}
