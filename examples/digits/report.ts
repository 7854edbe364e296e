import Table from 'cli-table3';
import { averageComponents, type Results, summarize } from './results.js';

/** The results as text: one table of models, one of the losses that the students ended with. */
export function formatResults({ teacher, students }: Results): string {
  const models = new Table({
    head: ['model', 'parameters', 'held-out accuracy', 'agreement with teacher'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: PLAIN,
  });
  models.push(['teacher', teacher.parameters, formatPercent([teacher.accuracy]), '']);
  for (const { method, runs } of students) {
    models.push([
      method,
      runs[0]!.parameters,
      formatPercent(runs.map(({ accuracy }) => accuracy)),
      formatPercent(runs.map(({ agreement }) => agreement)),
    ]);
  }
  const losses = new Table({
    head: ['student', 'term', 'weight', 'loss', 'weight × loss'],
    colAligns: ['left', 'left', 'right', 'right', 'right'],
    style: PLAIN,
  });
  for (const { method, runs } of students) {
    for (const { name, weight, loss, weighted } of averageComponents(
      runs.map(({ components }) => components),
    )) {
      losses.push([method, name, weight, loss.toFixed(4), weighted.toFixed(4)]);
    }
  }
  const several = students.some(({ runs }) => runs.length > 1) ? ', mean over seeds' : '';
  return `${models}\nLosses over the last steps${several}:\n${losses}`;
}

const PLAIN = { head: [], border: [] };

export function formatPercent(fractions: readonly number[]): string {
  const { mean, deviation } = summarize(fractions);
  const spread = Number.isNaN(deviation) ? '' : ` ± ${(100 * deviation).toFixed(1)}`;
  return `${(100 * mean).toFixed(1)}${spread} %`;
}
