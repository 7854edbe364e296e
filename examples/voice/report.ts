import { readFileSync, writeFileSync } from 'node:fs';
import { formatMarkdown, replacePart } from '../shared/document.js';
import { formatMean, formatPercent, formatTable } from '../shared/table.js';
import { ALL, type Judgements } from './judgement.js';
import type { Results } from './results.js';
import type { Fit } from './scores.js';

type Row = readonly string[];

interface Report {
  readonly head: Row;
  readonly rows: readonly Row[];
}

/** The two tables of the results: all models on all scenes, and the copy on each kind of scene. */
const REPORTS: Readonly<Record<string, (results: Results) => Report>> = { models, scenes };

/** Formats the results for a terminal. */
export function formatResults(results: Results): string {
  const tables = Object.values(REPORTS).map((report) => {
    const { head, rows } = report(results);
    return formatTable(head, rows);
  });
  return [`${results.frames} frames of 32 ms in the test`, ...tables].join('\n');
}

/** Tells how well the student in student.bin does, beside the results of a quick run. */
export function formatPublished(): string {
  const file = new URL('results.json', import.meta.url);
  const { methods } = JSON.parse(readFileSync(file, 'utf8')) as Results;
  const { agreement } = methods[0]!.runs[0]!.judgements[ALL]!.teacher;
  return `The published student, student.bin, decides as the teacher in ${formatPercent([agreement])} of the full test's frames.`;
}

const README = new URL('README.md', import.meta.url);

/** Writes the tables of the README. */
export function writeTables(results: Results): void {
  writeFileSync(README, withTables(readFileSync(README, 'utf8'), results));
}

/** Returns a document with the tables of the results; each stands between two comments. */
export function withTables(document: string, results: Results): string {
  return Object.entries(REPORTS).reduce((written, [name, report]) => {
    const { head, rows } = report(results);
    return replacePart(written, `npm run example:voice: ${name}`, formatMarkdown(head, rows));
  }, document);
}

/** Compares all models on all scenes of the test. */
function models({ teacher, student, milliseconds, methods }: Results): Report {
  const row = (name: string, bytes: number, time: number, judged: readonly Judgements[]): Row => {
    const of = (reference: Reference) => cells(judged.map((each) => each[ALL]![reference]));
    const size = `${(bytes / 1000).toLocaleString('en', { maximumFractionDigits: 0 })} kB`;
    return [name, size, time.toFixed(3), ...of('teacher'), ...of('truth')];
  };
  const rounded = methods.map(({ name, runs }) => {
    const judged = runs.map(({ judgements }) => judgements);
    return row(name, student.bytes, milliseconds.student, judged);
  });
  const [copy] = methods;
  const unrounded = copy!.runs.map((run) => run.unrounded);
  return {
    head: [
      'model',
      'weights',
      'ms a frame of 32 ms',
      'as the teacher',
      'AUC, teacher',
      'as the truth',
      'AUC, truth',
    ],
    rows: [
      row('teacher', teacher.bytes, milliseconds.teacher, [teacher.judgements]),
      ...rounded,
      row(`${copy!.name}, float32`, 4 * student.parameters, milliseconds.student, unrounded),
    ],
  };
}

/** The names of kinds of scenes that are not their own name. */
const NAMES: Readonly<Record<string, string>> = { it: 'Italian', ru: 'Russian' };

/** Compares the copy with its teacher on each kind of scene. */
function scenes({ teacher, methods }: Results): Report {
  const { runs } = methods[0]!;
  const rows = Object.entries(teacher.judgements).map(([kind, { truth }]) => {
    const of = (reference: Reference) =>
      cells(runs.map(({ judgements }) => judgements[kind]![reference]));
    return [NAMES[kind] ?? kind, ...of('teacher'), of('truth')[1]!, cells([truth])[1]!];
  });
  return {
    head: ['scenes', 'as the teacher', 'AUC, teacher', 'AUC, truth', 'AUC, truth: the teacher'],
    rows,
  };
}

type Reference = 'teacher' | 'truth';

function cells(fits: readonly Fit[]): [agreement: string, auc: string] {
  const aucs = fits.map(({ auc }) => auc);
  return [formatPercent(fits.map(({ agreement }) => agreement)), formatMean(aucs, 4)];
}
