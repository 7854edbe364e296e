import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Matrix, SparseTargets } from 'knowledge-distillation';
import type { TeacherSequence, TeacherStoreWriter } from 'knowledge-distillation/store';
import type { Document } from './corpus.js';

/** A row of the student as a line of JSON, with the columns of a store. */
export interface Row {
  readonly key: string;
  /** The row within its document. */
  readonly position: number;
  /** The token that the student reads there. */
  readonly token: number;
  /** The token that comes next. */
  readonly label: number;
  /** Classes, and the teacher's log-probabilities of them. */
  readonly indices: readonly number[];
  readonly log_probabilities: readonly number[];
}

/** Writes documents for other programs, one per line. */
export function exportDocuments(documents: readonly Document[], file: string): void {
  const lines = documents.map(
    ({ key, tokens }) => `${JSON.stringify({ key, tokens: Array.from(tokens) })}\n`,
  );
  writeFileSync(file, lines.join(''));
}

/**
 * Appends the rows of all `*.jsonl` files of a folder to a store. Returns the number of new
 * documents.
 */
export async function importLabels(
  folder: string,
  store: TeacherStoreWriter,
  columns: number,
): Promise<number> {
  let added = 0;
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  for (const file of files.sort()) {
    const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
    for (const [key, rows] of groupByKey(lines.map((line) => JSON.parse(line) as Row))) {
      if (await store.append(key, sequenceOf(rows, columns))) added++;
    }
    await store.flush();
  }
  return added;
}

function groupByKey(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.key) ?? [];
    if (row.position !== group.length) {
      throw new Error(`${row.key}: row ${group.length} is missing before row ${row.position}`);
    }
    group.push(row);
    groups.set(row.key, group);
  }
  return groups;
}

/** Pads rows to the width of the widest one with class −1, which stands for no class. */
function sequenceOf(rows: readonly Row[], columns: number): TeacherSequence {
  const width = Math.max(...rows.map(({ indices }) => indices.length));
  const indices = new Int32Array(rows.length * width).fill(-1);
  const logProbabilities = Matrix.zeros(rows.length, width);
  rows.forEach((row, i) => {
    indices.set(row.indices, i * width);
    logProbabilities.row(i).set(row.log_probabilities);
  });
  return {
    prompt: [rows[0]!.token],
    tokens: rows.map(({ label }) => label),
    targets: new SparseTargets({ indices, logProbabilities, columns }),
  };
}
