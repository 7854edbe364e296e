import {
  checkChoice,
  checkInteger,
  checkOptions,
  checkPositive,
  refuse,
  throwType,
} from '../core/errors.js';
import type { StoreFiles } from './files.js';

/** The precision of numbers on disk. They are read as float32. */
export type StorePrecision = 'float32' | 'float16';

/** Options of dense rows, which are rows of numbers such as hidden states, embeddings or logits. */
export interface DenseDescription {
  /** Number of columns of a row, an integer ≥ 1. */
  readonly columns: number;
  /**
   * Precision on disk.
   *
   * @defaultValue 'float32'
   */
  readonly precision?: StorePrecision | undefined;
}

/** The description of dense rows in a store. */
export interface DenseColumns {
  readonly columns: number;
  readonly precision: StorePrecision;
}

/** The description of a store, which all of its shards share: the content of `store.json`. */
export interface TeacherStoreDescription {
  /** Version of the format on disk; the present version is 1. */
  readonly version: number;
  /** Name of the teacher. */
  readonly teacher: string;
  /** Number of classes: the student's columns; undefined for a store of dense rows only. */
  readonly columns?: number | undefined;
  /** Largest number of classes that a row keeps; undefined for a store of dense rows only. */
  readonly k?: number | undefined;
  /** Temperature of the log-probabilities. */
  readonly temperature: number;
  /** Precision of the log-probabilities on disk. */
  readonly precision: StorePrecision;
  /** The dense rows, by name. */
  readonly dense: Readonly<Record<string, DenseColumns>>;
}

/**
 * Options of {@link createTeacherStore}. For an existing store, all options but `shardRows`,
 * `chunkRows` and `writer` must equal the options with which it was created.
 */
export interface TeacherStoreOptions {
  /** Name of the teacher, with its version: a store of another teacher is refused. */
  readonly teacher: string;
  /**
   * Number of classes, an integer ≥ 1: the columns of the student's logits. It is required together
   * with `k`, and left out for a store of dense rows only.
   */
  readonly columns?: number | undefined;
  /**
   * Largest number of classes that a row keeps, an integer in [1, columns]. It is required together
   * with `columns`, and left out for a store of dense rows only.
   */
  readonly k?: number | undefined;
  /**
   * Temperature of the log-probabilities, a finite number > 0.
   *
   * @defaultValue 1
   */
  readonly temperature?: number | undefined;
  /**
   * Precision of the log-probabilities on disk. 'float32' is exact. 'float16' takes half the space,
   * changes each log-probability by at most 2⁻¹⁰ of its value, and keeps the sum of the
   * probabilities of a row.
   *
   * @defaultValue 'float32'
   */
  readonly precision?: StorePrecision | undefined;
  /**
   * Dense rows beside or instead of the targets, by name. Names consist of letters, digits and `_`.
   * Each sequence has a matrix for each name in its `dense`.
   *
   * @defaultValue no dense rows
   */
  readonly dense?: Readonly<Record<string, DenseDescription>> | undefined;
  /**
   * Number of waiting rows at which a shard is written, an integer ≥ 1. A shard is a file of whole
   * sequences. The waiting rows are in memory, and are lost if the process is killed.
   *
   * @defaultValue 16384
   */
  readonly shardRows?: number | undefined;
  /**
   * Largest number of rows of a chunk, unless a single sequence is longer; an integer ≥ 1. A chunk
   * is the unit in which a store is read, shuffled and split among workers.
   *
   * @defaultValue 1024
   */
  readonly chunkRows?: number | undefined;
  /**
   * Name of this writer, which is the prefix of the names of its shards: letters, digits, `.`, `_`
   * and `-`.
   *
   * @defaultValue a random name
   */
  readonly writer?: string | undefined;
}

const VERSION = 1;
export const DESCRIPTION_FILE = 'store.json';

const PRECISIONS: readonly StorePrecision[] = ['float32', 'float16'];

/** Names that dense rows must not have: the other columns of a shard and of a batch. */
const RESERVED = [
  ...['key', 'position', 'token', 'label', 'indices', 'log_probabilities', 'log_tail'],
  ...['tokens', 'labels', 'targets'],
];

/** Returns the description of a new store. Throws for options out of range. */
export function describeStore(
  operation: string,
  options: TeacherStoreOptions,
): TeacherStoreDescription {
  const { teacher, columns, k, temperature = 1, precision = 'float32', dense = {} } = options;
  if (typeof teacher !== 'string') throwType(operation, 'teacher', 'be a string', teacher);
  if (teacher === '') refuse('EMPTY', operation, 'teacher', 'be the name of the teacher', '""');
  if (columns !== undefined) checkInteger(operation, 'columns', columns, 1);
  if (k !== undefined) checkInteger(operation, 'k', k, 1);
  if ((columns === undefined) !== (k === undefined)) {
    const [given, missing] = columns === undefined ? ['k', 'columns'] : ['columns', 'k'];
    refuse('MISPLACED_OPTION', operation, given!, `come with ${missing}`, `no ${missing}`, {
      sentence: `${given} needs ${missing}, too`,
      hint: 'columns is the number of all classes, k the most that a row keeps',
    });
  }
  if (columns !== undefined && k! > columns) {
    refuse('OUT_OF_RANGE', operation, 'k', `be at most columns (${columns})`, String(k));
  }
  checkPositive(operation, 'temperature', temperature);
  checkChoice(operation, 'precision', precision, PRECISIONS);
  checkOptions(operation, 'dense', dense);
  const names = Object.keys(dense).sort();
  if (k === undefined && names.length === 0) {
    const hint = 'pass columns and k, or dense: { hidden: { columns: 768 } }';
    refuse('EMPTY', operation, 'options', 'say what the store holds', 'neither k nor dense', {
      hint,
    });
  }
  const rows: Record<string, DenseColumns> = {};
  for (const name of names) {
    checkDenseName(operation, name);
    const given = dense[name]!;
    checkOptions(operation, `dense.${name}`, given, ['columns', 'precision'], ['columns']);
    const stored = given.precision ?? 'float32';
    rows[name] = {
      columns: checkInteger(operation, `dense.${name}.columns`, given.columns, 1),
      precision: checkChoice(operation, `dense.${name}.precision`, stored, PRECISIONS),
    };
  }
  return { version: VERSION, teacher, columns, k, temperature, precision, dense: rows };
}

function checkDenseName(operation: string, name: string): void {
  if (/^[A-Za-z]\w*$/.test(name) && !RESERVED.includes(name)) return;
  const expected = `have names of letters, digits and _, none of ${RESERVED.join(', ')}`;
  refuse('OUT_OF_RANGE', operation, 'dense', expected, JSON.stringify(name));
}

/** Throws unless the options equal those of the existing store. Names the first difference. */
function checkSameDescription(
  operation: string,
  own: TeacherStoreDescription,
  stored: TeacherStoreDescription,
): void {
  const show = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  const hint = 'write other outputs into another store';
  for (const name of ['teacher', 'columns', 'k', 'temperature', 'precision', 'dense'] as const) {
    const [mine, theirs] = [show(own[name]), show(stored[name])];
    if (mine === theirs) continue;
    const expected = `be ${theirs}, as in the store`;
    refuse('MISMATCH', operation, name, expected, mine, { hint });
  }
}

/** Throws unless the files have this description. */
export async function checkStoredDescription(
  operation: string,
  files: StoreFiles,
  own: TeacherStoreDescription,
): Promise<void> {
  const bytes = await files.read(DESCRIPTION_FILE);
  if (bytes) return checkSameDescription(operation, own, readDescription(operation, bytes));
  refuse('MISSING', operation, DESCRIPTION_FILE, 'be there after it was written', 'no such file');
}

export function writeDescription(description: TeacherStoreDescription): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(description, null, 2)}\n`);
}

/** Reads `store.json`. Throws if its content is not a description. */
export function readDescription(operation: string, bytes: Uint8Array): TeacherStoreDescription {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    refuse('DAMAGED', operation, DESCRIPTION_FILE, 'be JSON', 'something else');
  }
  const { version, ...options } = Object(content) as TeacherStoreDescription;
  if (version !== VERSION) {
    const hint = 'another version of knowledge-distillation wrote the store';
    const received = `version ${version}`;
    refuse('DAMAGED', operation, DESCRIPTION_FILE, `have version ${VERSION}`, received, { hint });
  }
  return describeStore(operation, options);
}
