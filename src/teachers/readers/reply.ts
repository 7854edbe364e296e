import { checkInteger, checkNumber, checkOptions, refuse } from '../../core/errors.js';
import { float32 } from '../../core/numeric.js';
import { packRows, type SparseRow } from '../raggedRows.js';
import { SparseTargets } from '../sparse.js';
import type { ReplyNode } from './replyNode.js';

/**
 * The teacher's outputs for one sequence: n rows of `targets`, n `tokens` and n `studentRows`.
 *
 * Row i of `targets` is the target of row `studentRows[i]` of the student's logits. Row r of the
 * student reads the tokens 0 to r and predicts token r + 1. The rows of a reply are consecutive.
 */
export interface TeacherReply {
  /**
   * The most probable classes of each row, the most probable first. The tail has the probability of
   * all other classes. The temperature is 1.
   */
  readonly targets: SparseTargets;
  /** The token at the position that each row predicts: the label of the row. */
  readonly tokens: Int32Array;
  /** For each token, the row of the student's logits that predicts it. */
  readonly studentRows: Int32Array;
}

/** Options that all readers have. */
export interface ReaderOptions {
  /**
   * Number of classes: the student's columns, at most 2³¹. Token ids of this number or more are
   * refused.
   */
  readonly columns: number;
  /**
   * Largest number of classes that a row keeps, ≥ 1. The row keeps its most probable classes.
   *
   * @defaultValue all classes of the reply
   */
  readonly k?: number | undefined;
}

/** Options of the readers of tokens that the teacher has generated. */
export interface CompletionReaderOptions extends ReaderOptions {
  /**
   * Number of tokens of the prompt that the student reads, ≥ 1: row `promptLength − 1 + c` of the
   * student predicts token c of the completion.
   *
   * @defaultValue the number of prompt tokens in the reply
   */
  readonly promptLength?: number | undefined;
}

/** Settings that all rows of a reply share. */
export interface RowFormat {
  readonly columns: number;
  readonly k: number;
  /** Spacing at 1 of the dtype in which targets are stored. */
  readonly epsilon: number;
}

/** Token ids are below this number, because an `Int32Array` stores them. */
const LARGEST_COLUMNS = 2 ** 31;

/** Checks the options that all readers have; `more` names the other options of a reader. */
export function readOptions(
  operation: string,
  options: ReaderOptions,
  more: readonly string[] = [],
): RowFormat {
  checkOptions(operation, 'options', options, ['columns', 'k', ...more], ['columns']);
  const columns = checkInteger(operation, 'columns', options.columns, 1);
  const expected = `be at most ${LARGEST_COLUMNS}`;
  checkNumber(operation, 'columns', columns, expected, (x) => x <= LARGEST_COLUMNS);
  const { k = columns } = options;
  return { columns, k: checkInteger(operation, 'k', k, 1), epsilon: float32.epsilon };
}

/** One position of a text: the token there, and the teacher's row that predicts it. */
export interface Position {
  readonly token: number;
  readonly row: SparseRow;
}

/** Packs consecutive positions. Row `firstRow` of the student predicts the first of the tokens. */
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

/** Returns one of the choices of a reply; `hint` says how to get choices. */
export function findChoice(reply: ReplyNode, choice: number, hint?: string): ReplyNode {
  const choices = reply.field('choices');
  const { length } = choices.items(hint);
  if (choice < length) return choices.item(choice);
  const expected = `be below ${length}, the number of choices`;
  refuse('OUT_OF_RANGE', reply.operation, 'choice', expected, String(choice));
}
