import { checkOptions, refuse, throwShape, throwType } from '../core/errors.js';
import { IGNORE_INDEX, UNLABELED } from '../core/labels.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { isSparse } from '../teachers/sparseCheck.js';
import type { DenseColumns, TeacherStoreDescription } from './description.js';
import { roundToHalf } from './halfPrecision.js';
import { allocateRows, columnsOf, kindsOf, type Rows } from './rows.js';
import { countClasses, storeTargets } from './targets.js';

/**
 * A sequence of rows, which one `append` adds. Its rows stay together and in order. It must have
 * all parts that the description of the store declares: `targets` if the store has `k`, and a
 * `dense` matrix for each name.
 */
export interface TeacherSequence {
  /** The teacher's targets of n rows: log-probabilities at the temperature of the store. */
  readonly targets?: SparseTargets<FloatArray> | undefined;
  /**
   * For text, the token that each of the n rows predicts, as the readers of
   * `knowledge-distillation/teachers` return them; the tokens of the prompt are not among them.
   * Without `prompt`, the class of each row. A batch has them as `labels`.
   */
  readonly tokens?: ArrayLike<number | bigint> | undefined;
  /**
   * For text, the P tokens before `tokens`, P ≥ 1. The student reads the prompt and then the
   * tokens, which makes P − 1 + n rows. It never predicts the tokens of the prompt: they may be
   * outside the classes of the store.
   */
  readonly prompt?: ArrayLike<number | bigint> | undefined;
  /**
   * For text, the student's row of each target, as the readers return them. They are not stored,
   * but compared with the prompt: they must be P − 1, P, …
   */
  readonly studentRows?: ArrayLike<number> | undefined;
  /** Without text, the class of each row, `UNLABELED` or `IGNORE_INDEX`. */
  readonly labels?: ArrayLike<number | bigint> | undefined;
  /** Dense rows by their name in the store: one row for each row of the sequence. */
  readonly dense?: Readonly<Record<string, Matrix<FloatArray>>> | undefined;
}

const LARGEST_ID = 2 ** 31 - 1;

/** Checks a sequence, and copies it in the form in which it is stored. */
export function readSequence(
  operation: string,
  key: string,
  sequence: TeacherSequence,
  description: TeacherStoreDescription,
): Rows {
  if (typeof key !== 'string') throwType(operation, 'key', 'be a string', key);
  if (key === '') refuse('EMPTY', operation, 'key', 'be a name', '""');
  if (/\p{Surrogate}/u.test(key)) {
    refuse('OUT_OF_RANGE', operation, 'key', 'be Unicode', 'half of a surrogate pair');
  }
  if (key.startsWith('\ufeff')) {
    // Readers of text drop a byte order mark at the start.
    refuse('OUT_OF_RANGE', operation, 'key', 'begin with a character', 'a byte order mark');
  }
  const names = Object.keys(description.dense);
  const known = ['targets', 'tokens', 'prompt', 'studentRows', 'labels', 'dense'];
  checkOptions(operation, 'sequence', sequence, known);
  const { targets, tokens, prompt, studentRows, labels, dense = {} } = sequence;
  checkParts(operation, sequence, description);
  if (prompt !== undefined && prompt.length === 0) {
    refuse('EMPTY', operation, 'prompt', 'hold a token', 'an empty array');
  }

  const start = prompt === undefined ? 0 : prompt.length - 1; // number of rows before the targets
  const scored =
    targets?.values.rows ?? tokens?.length ?? Math.max(dense[names[0]!]!.rows - start, 0);
  if (scored === 0) refuse('EMPTY', operation, 'sequence', 'have a row', 'none');
  const rows = start + scored;
  for (const [name, values] of Object.entries({ tokens, studentRows, labels })) {
    if (values === undefined || values.length === scored) continue;
    throwShape(operation, name, [values.length], [scored], 'one for each row of the teacher');
  }
  checkStudentRows(operation, studentRows, prompt);

  // A row without a class needs the label IGNORE_INDEX, by which strategies exclude it.
  const isPartly = targets !== undefined && countClasses(targets).includes(0);
  const kinds = { tokens: prompt, labels: tokens ?? labels ?? isPartly };
  const columns = columnsOf(description, kindsOf([kinds]));
  const stored = allocateRows([key], Int32Array.of(0, rows), columns);
  const largest = (description.columns ?? LARGEST_ID + 1) - 1;
  if (stored.tokens) {
    copyIds(operation, 'prompt', prompt!, stored.tokens, 0);
    copyIds(operation, 'tokens', tokens!, stored.tokens, start + 1);
  }
  if (stored.labels) {
    stored.labels.fill(IGNORE_INDEX, 0, start);
    if (tokens) copyIds(operation, 'tokens', tokens, stored.labels, start, { largest });
    else if (labels)
      copyIds(operation, 'labels', labels, stored.labels, start, { largest, isLabel: true });
  }
  if (targets) storeTargets(operation, targets, description, stored, start);
  for (const name of names) {
    storeDense(operation, name, dense[name]!, description.dense[name]!, stored.dense[name]!);
  }
  return stored;
}

/** Throws unless the sequence has the parts that the store declares, each of the right type. */
function checkParts(
  operation: string,
  sequence: TeacherSequence,
  description: TeacherStoreDescription,
): void {
  const { targets, tokens, prompt, studentRows, labels, dense = {} } = sequence;
  if (description.k === undefined) {
    if (targets !== undefined) {
      const hint = 'create the store with columns and k';
      const expected = 'be left out: the store has dense rows only';
      refuse('MISPLACED_OPTION', operation, 'targets', expected, 'targets', { hint });
    }
  } else if (targets === undefined || !isSparse(targets)) {
    const hint = 'for logits, SparseTargets.topK(logits, k)';
    throwType(operation, 'targets', 'be SparseTargets', targets, hint);
  }
  const names = Object.keys(description.dense);
  if (sequence.dense !== undefined && names.length === 0) {
    const hint = 'create the store with dense: the columns of each name';
    const expected = 'be left out: the store has no dense rows';
    refuse('MISPLACED_OPTION', operation, 'dense', expected, 'dense rows', { hint });
  }
  checkOptions(operation, 'dense', dense, names);
  for (const name of names) checkMatrix(operation, `dense.${name}`, dense[name]!);
  for (const [name, values] of Object.entries({ tokens, prompt, studentRows, labels })) {
    if (values === undefined) continue;
    if (typeof values === 'object' && typeof values?.length === 'number') continue;
    throwType(operation, name, 'be an array of numbers', values);
  }
  if (prompt !== undefined && tokens === undefined) {
    const expected = 'come with tokens, those after it';
    refuse('MISPLACED_OPTION', operation, 'prompt', expected, 'no tokens');
  }
  if (tokens !== undefined && labels !== undefined) {
    const expected = 'be left out: tokens are the labels';
    refuse('MISPLACED_OPTION', operation, 'labels', expected, 'both');
  }
}

function checkStudentRows(
  operation: string,
  studentRows: ArrayLike<number> | undefined,
  prompt: ArrayLike<number | bigint> | undefined,
): void {
  if (studentRows === undefined) return;
  const passPrompt = (row: number) =>
    `pass \`prompt\`, the ${row + 1} tokens before the first scored token`;
  if (prompt === undefined) {
    const expected = 'come with prompt: rows of a reply belong to a text';
    const hint = passPrompt(studentRows[0] ?? 0);
    refuse('MISPLACED_OPTION', operation, 'studentRows', expected, 'no prompt', { hint });
  }
  const start = prompt.length - 1;
  for (let row = 0; row < studentRows.length; row++) {
    const received = studentRows[row]!;
    if (received === start + row) continue;
    const isShifted = row === 0 && Number.isInteger(received) && received >= 0;
    const hint = isShifted
      ? passPrompt(received)
      : 'the scored tokens of a sequence follow each other: append others under another key';
    const expected = `be ${start + row}, the row after the prompt's`;
    refuse('OUT_OF_RANGE', operation, 'studentRows', expected, String(received), { row, hint });
  }
}

/** Copies tokens or classes to `target`, beginning at `at`. Drops those that exceed its length. */
function copyIds(
  operation: string,
  argument: string,
  ids: ArrayLike<number | bigint>,
  target: Int32Array,
  at: number,
  { largest = LARGEST_ID, isLabel = false }: { largest?: number; isLabel?: boolean } = {},
): void {
  for (let row = 0; row < ids.length; row++) {
    const given: unknown = ids[row];
    const isNumber = typeof given === 'number' || typeof given === 'bigint';
    const id = isNumber ? Number(given) : Number.NaN;
    const isId = Number.isInteger(id) && id >= 0 && id <= largest;
    if (!isId && !(isLabel && (id === UNLABELED || id === IGNORE_INDEX))) {
      const more = isLabel ? ', UNLABELED or IGNORE_INDEX' : '';
      const expected = `be an integer in [0, ${largest + 1})${more}`;
      if (!isNumber) throwType(operation, `${argument}[${row}]`, expected, given);
      refuse('OUT_OF_RANGE', operation, argument, expected, String(given), { row });
    }
    if (at + row < target.length) target[at + row] = id;
  }
}

/**
 * Copies a matrix in the form in which it will be read: float32, rounded to the store's precision.
 */
function storeDense(
  operation: string,
  name: string,
  matrix: Matrix<FloatArray>,
  { columns, precision }: DenseColumns,
  target: Float32Array,
): void {
  const argument = `dense.${name}`;
  const rows = target.length / columns;
  if (matrix.rows !== rows || matrix.columns !== columns) {
    const why = 'the rows of the sequence, and the columns in the store';
    throwShape(operation, argument, [matrix.rows, matrix.columns], [rows, columns], why);
  }
  target.set(matrix.data);
  if (precision === 'float16') roundToHalf(target);
  for (let i = 0; i < target.length; i++) {
    // −Infinity is allowed: if the rows are logits, it rules a class out.
    if (target[i]! < Infinity && (target[i] !== -Infinity || matrix.data[i] === -Infinity))
      continue;
    const place = { row: Math.floor(i / columns), column: i % columns };
    const received = String(matrix.data[i]);
    if (!Number.isFinite(matrix.data[i]))
      refuse('NOT_FINITE', operation, argument, 'be finite', received, place);
    refuse('OUT_OF_RANGE', operation, argument, `fit in ${precision}`, received, place);
  }
}
