import { readFileSync, writeFileSync } from 'node:fs';
import { formatMean, formatPercent, formatTable } from '../shared/table.js';
import type { Results } from './experiment.js';
import { ALL, type Judgements } from './judgement.js';
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
  const { frames, student, milliseconds, teacher } = results;
  const size = (bytes: number) => `${Math.round(bytes / 1000)} kB`;
  const speed = (time: number) => `${time.toFixed(3)} ms a frame`;
  return [
    `teacher: ${size(teacher.bytes)}, ${speed(milliseconds.teacher)}`,
    `student: ${size(student.bytes)}, ${speed(milliseconds.student)}, ${student.parameters} parameters`,
    `${frames} frames of 32 ms in the test`,
    ...Object.values(REPORTS).map((report) => {
      const { head, rows } = report(results);
      return formatTable(head, rows);
    }),
  ].join('\n');
}

const README = new URL('README.md', import.meta.url);

/** Writes the tables of the README, each between two comments. */
export function writeTables(results: Results): void {
  const text = readFileSync(README, 'utf8').replace(
    /(<!-- npm run example:voice: (.+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, start, name, end) => {
      const { head, rows } = REPORTS[name]!(results);
      const lines = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
      return `${start}${lines.join('\n')}\n${end}`;
    },
  );
  writeFileSync(README, text);
}

/** Compares all models on all scenes of the test. */
function models({ teacher, methods }: Results): Report {
  const row = (name: string, judged: readonly Judgements[]): Row => {
    const of = (reference: Reference) => cells(judged.map((each) => each[ALL]![reference]));
    return [name, ...of('teacher'), ...of('truth')];
  };
  const [, , , ...ofTruth] = row('', [teacher.judgements]);
  const [copy] = methods;
  return {
    head: ['model', "the teacher's decisions", 'AUC', 'the true decisions', 'AUC'],
    rows: [
      ['teacher', '', '', ...ofTruth],
      ...methods.map(({ name, runs }) =>
        row(
          name,
          runs.map(({ judgements }) => judgements),
        ),
      ),
      row(
        `${copy!.name}, float32`,
        copy!.runs.map(({ unrounded }) => unrounded),
      ),
    ],
  };
}

/** Compares the copy with its teacher on each kind of scene. */
function scenes({ teacher, methods }: Results): Report {
  const { runs } = methods[0]!;
  const rows = Object.entries(teacher.judgements).map(([kind, { truth }]) => {
    const of = (reference: Reference) =>
      cells(runs.map(({ judgements }) => judgements[kind]![reference]));
    return [kind, ...of('teacher'), of('truth')[1]!, cells([truth])[1]!];
  });
  return {
    head: ['scenes', "the teacher's decisions", 'AUC', 'AUC of the truth', "the teacher's"],
    rows,
  };
}

type Reference = 'teacher' | 'truth';

function cells(fits: readonly Fit[]): [agreement: string, auc: string] {
  const aucs = fits.map(({ auc }) => auc);
  return [formatPercent(fits.map(({ agreement }) => agreement)), formatMean(aucs, 4)];
}
