import { formatPercent, formatTable } from '../shared/table.js';
import { averageComponents, type Results } from './results.js';

/** Formats the results: a table of models, and a table of the students' last losses. */
export function formatResults({ teacher, students }: Results): string {
  const models = formatTable(
    ['model', 'parameters', 'held-out accuracy', 'agreement with teacher'],
    [
      ['teacher', teacher.parameters, formatPercent([teacher.accuracy]), ''],
      ...students.map(({ method, runs }) => [
        method,
        runs[0]!.parameters,
        formatPercent(runs.map(({ accuracy }) => accuracy)),
        formatPercent(runs.map(({ agreement }) => agreement)),
      ]),
    ],
  );
  const losses = formatTable(
    ['student', 'term', 'weight', 'loss', 'weight × loss'],
    students.flatMap(({ method, runs }) =>
      averageComponents(runs.map(({ components }) => components)).map(
        ({ name, weight, loss, weighted }) => [
          method,
          name,
          weight,
          loss.toFixed(4),
          weighted.toFixed(4),
        ],
      ),
    ),
    2,
  );
  const several = students.some(({ runs }) => runs.length > 1) ? ', mean over seeds' : '';
  return `${models}\nLosses over the last steps${several}:\n${losses}`;
}
