import lande from 'lande';
import { Phase } from '../shared/progress.js';
import { LANGUAGE_NAMES } from './messages.js';

/** Sentences between two updates of the progress bar. */
const REPORT_EVERY = 100;

/**
 * What the teacher says about every sentence: log-probabilities of the languages here, the other 38
 * left out. A softmax takes them for logits: the constant by which the two differ in a row changes
 * nothing, at any temperature.
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
