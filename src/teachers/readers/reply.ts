import { checkInteger, checkNumber, checkOptions, refuse } from '../../core/errors.js';
import { float32 } from '../../core/numeric.js';
import { packRows, type SparseRow } from '../raggedRows.js';
import { SparseTargets } from '../sparse.js';
import type { Part } from './part.js';

/**
 * What a teacher says of one sequence: as many rows of `targets` as there are `tokens` and
 * `studentRows`.
 *
 * Row i of `targets` belongs to row `studentRows[i]` of the student's logits: having read the
 * tokens 0 to r, the student predicts token r + 1 by row r. The rows of a reply follow each other
 * without a gap.
 */
export interface TeacherReply {
  /**
   * The most probable classes of each row, the most probable first, and the probability of all
   * other classes together. They are probabilities at temperature 1.
   */
  readonly targets: SparseTargets;
  /** The token that stands there: the label of the row. */
  readonly tokens: Int32Array;
  /** The row of the student's logits that predicts the token. */
  readonly studentRows: Int32Array;
}

/** Options of every reader. */
export interface ReaderOptions {
  /**
   * Number of classes: the student's columns, at most 2³¹. A token id of this size or more is
   * refused.
   */
  readonly columns: number;
  /** Most classes that a row keeps, the most probable ones, ≥ 1; all that are there by default. */
  readonly k?: number | undefined;
}

/** Options of the readers of tokens that the teacher generated. */
export interface CompletionReaderOptions extends ReaderOptions {
  /**
   * Number of tokens of the prompt that the student reads, ≥ 1: row `promptLength − 1 + c` of the
   * student predicts token c of the completion. By default the number that the reply says.
   */
  readonly promptLength?: number | undefined;
}

/** What all rows of a reply have in common. */
export interface RowFormat {
  readonly columns: number;
  readonly k: number;
  /** Spacing at 1 of the number format in which targets are stored. */
  readonly epsilon: number;
}

/** Token ids are stored in an Int32Array. */
const MOST_COLUMNS = 2 ** 31;

/** Checks the options that every reader has; `more` names the others. */
export function readOptions(
  operation: string,
  options: ReaderOptions,
  more: readonly string[] = [],
): RowFormat {
  checkOptions(operation, 'options', options, ['columns', 'k', ...more]);
  const columns = checkInteger(operation, 'columns', options.columns, 1);
  const expected = `be at most ${MOST_COLUMNS}`;
  checkNumber(operation, 'columns', columns, expected, (x) => x <= MOST_COLUMNS);
  const { k = columns } = options;
  return { columns, k: checkInteger(operation, 'k', k, 1), epsilon: float32.epsilon };
}

/** One position of a text: the token that stands there, and the row of the teacher. */
export interface Position {
  readonly token: number;
  readonly row: SparseRow;
}

/** Packs positions that follow each other, of which row `firstRow` predicts the first token. */
export function packReply(
  positions: readonly Position[],
  firstRow: number,
  { columns }: RowFormat,
): TeacherReply {
  const rows = positions.map(({ row }) => row);
  return {
    targets: new SparseTargets({ ...packRows(rows, float32), columns }),
    tokens: Int32Array.from(positions, ({ token }) => token),
    studentRows: Int32Array.from(positions, (_, i) => firstRow + i),
  };
}

/** Finds a choice of a reply; `hint` says how to get choices. */
export function findChoice(reply: Part, choice: number, hint?: string): Part {
  const choices = reply.field('choices');
  const { length } = choices.items(hint);
  if (choice < length) return choices.item(choice);
  const expected = `be below ${length}, the number of choices`;
  refuse('OUT_OF_RANGE', reply.operation, 'choice', expected, String(choice));
}
