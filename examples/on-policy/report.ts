import { formatMean, formatPercent, formatTable } from '../shared/table.js';
import type { Results, Run } from './experiment.js';
import { PROMPT } from './training.js';

/**
 * Heads of the table: p is the teacher, q the model of the row; in nats per token except for the
 * last two columns.
 */
const HEAD = [
  'model',
  'writes: −log p',
  '−log q',
  'KL(q ‖ p)',
  'held out: −log q',
  'KL(p ‖ q)',
  'agreement',
  'ms a step',
];

/** Returns a row for each model, its mean over the seeds. */
export function formatScores({ runs }: Results): string {
  return formatTable(
    HEAD,
    namesOf(runs).map((name) => {
      const named = runs.filter((run) => run.name === name);
      const scores = named.map((run) => run.scores);
      const stepTimes = named.map(({ stepTime }) => stepTime);
      return [
        name,
        formatMean(
          scores.map(({ writtenByTeacher }) => writtenByTeacher),
          3,
        ),
        formatMean(
          scores.map(({ writtenByItself }) => writtenByItself),
          3,
        ),
        formatMean(
          scores.map(({ reverseKL }) => reverseKL),
          3,
        ),
        formatMean(
          scores.map(({ heldOut }) => heldOut),
          3,
        ),
        formatMean(
          scores.map(({ forwardKL }) => forwardKL),
          3,
        ),
        formatPercent(scores.map(({ agreement }) => agreement)),
        Number.isNaN(stepTimes[0]) ? '' : formatMean(stepTimes, 0),
      ];
    }),
  );
}

/** Returns the text of each model of the first seed after the same prompt, whose end `|` marks. */
export function formatTexts({ runs }: Results): string {
  const rows = namesOf(runs).map((name) => {
    const { text } = runs.find((run) => run.name === name)!;
    const line = `${text.slice(0, PROMPT)}|${text.slice(PROMPT)}`;
    return [name, line.replaceAll('\n', '¶')];
  });
  return formatTable(['model', 'text'], rows, 2);
}

function namesOf(runs: readonly Run[]): readonly string[] {
  return [...new Set(runs.map(({ name }) => name))];
}
