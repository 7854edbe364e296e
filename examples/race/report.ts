import { formatMarkdown, replacePart } from '../shared/document.js';
import { formatPercent } from '../shared/page/format.js';
import { formatCount } from './page/format.js';
import { PRESETS } from './page/presets.js';
import { lastOf, type Results } from './results.js';

const POINTS = [100, 300, 700];

/** Head and rows of the table that compares the presets. */
export function tableOf({ students }: Results): [head: string[], rows: string[][]] {
  const head = [
    'preset',
    ...POINTS.map((step) => `right after ${step} steps`),
    'agrees with the teacher',
    'overlap before',
    'overlap after',
  ];
  const rows = PRESETS.map(({ name }) => {
    const { curve, overlap } = students[name];
    return [
      name,
      ...POINTS.map((at) => formatPercent(curve.find(({ step }) => step === at)!.accuracy)),
      formatPercent(lastOf(students[name]).agreement),
      formatPercent(overlap.start, 0),
      formatPercent(overlap.end, 0),
    ];
  });
  return [head, rows];
}

/** Returns the README with the parts that the results determine. */
export function withResults(document: string, results: Results): string {
  const command = 'npm run example:race:presets';
  const begun = replacePart(document, `${command}: headline`, headline(results));
  return replacePart(begun, `${command}: presets`, formatMarkdown(...tableOf(results)));
}

function headline({ facts, teacherLabels, students }: Results): string {
  const labels = lastOf(students['Labels only']);
  const taught = lastOf(students['The teacher’s answers']);
  const { teacher, student } = facts;
  return [
    `After ${labels.step} steps the first one is right on ${formatPercent(labels.accuracy)} of`,
    `${formatCount(facts.heldOutImages)} digits that it has never seen, and the second one on`,
    `${formatPercent(taught.accuracy)}. The teacher has ${formatCount(teacher.parameters)}`,
    `parameters, learned from ${formatCount(teacherLabels)} labels, and is right on`,
    `${formatPercent(teacher.accuracy)}. Each student has ${formatCount(student.parameters)}`,
    'parameters.',
  ].join(' ');
}
