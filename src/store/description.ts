import {
  checkChoice,
  checkInteger,
  checkOptions,
  checkPositive,
  refuse,
  throwType,
} from '../core/errors.js';
import type { StoreFiles } from './files.js';

/** How numbers are stored on disk. They are read as float32. */
export type StorePrecision = 'float32' | 'float16';

/** Rows of numbers in a store: hidden states, embeddings, logits. */
export interface DenseDescription {
  /** Numbers of a row; an integer ≥ 1. */
  readonly columns: number;
  /** Precision on disk; 'float32'. */
  readonly precision?: StorePrecision | undefined;
}

/** Dense rows, as a store describes them. */
export interface DenseColumns {
  readonly columns: number;
  readonly precision: StorePrecision;
}

/** What all shards of a store have in common: the content of `store.json`. */
export interface TeacherStoreDescription {
  /** Version of the layout on disk; 1. */
  readonly version: number;
  /** Name of the teacher. */
  readonly teacher: string;
  /** Number of classes: the student's columns; undefined for a store of dense rows only. */
  readonly columns?: number | undefined;
  /** Largest number of classes of a row; undefined for a store of dense rows only. */
  readonly k?: number | undefined;
  /** Temperature of the log-probabilities. */
  readonly temperature: number;
  /** Precision of the log-probabilities on disk. */
  readonly precision: StorePrecision;
  /** The dense rows, by name. */
  readonly dense: Readonly<Record<string, DenseColumns>>;
}

/**
 * Options of {@link createTeacherStore}. All but `shardRows`, `chunkRows` and `writer` have to be
 * those of the store.
 */
export interface TeacherStoreOptions {
  /** Name of the teacher, with its version: a store of another teacher is refused. */
  readonly teacher: string;
  /** Number of classes: the columns of the student's logits; an integer ≥ 1. Needed with `k`. */
  readonly columns?: number | undefined;
  /**
   * Largest number of classes that a row keeps; an integer in [1, columns]. Left out together with
   * `columns` for a store of dense rows only.
   */
  readonly k?: number | undefined;
  /** Temperature of the log-probabilities; a finite number > 0, 1. */
  readonly temperature?: number | undefined;
  /**
   * Precision of the log-probabilities on disk; 'float32', which is exact. 'float16' takes half as
   * much, is within 2⁻¹⁰ of each log-probability, and keeps the sum of the probabilities of a row.
   */
  readonly precision?: StorePrecision | undefined;
  /**
   * Rows of numbers beside or instead of the targets, by name: letters, digits and `_`. Each
   * sequence has a matrix of each name under `dense`.
   */
  readonly dense?: Readonly<Record<string, DenseDescription>> | undefined;
  /**
   * Rows from which a shard is written; an integer ≥ 1, 16384. A shard is a file of whole
   * sequences; this many rows are in memory before, and lost if the process is killed.
   */
  readonly shardRows?: number | undefined;
  /**
   * Rows of a chunk, at most unless one sequence is longer; an integer ≥ 1, 1024. The chunk is the
   * unit in which a store is read, shuffled and split among workers.
   */
  readonly chunkRows?: number | undefined;
  /**
   * Name of this writer, with which its shards begin: letters, digits, `.`, `_` and `-`; random.
   */
  readonly writer?: string | undefined;
}

const VERSION = 1;
export const DESCRIPTION_FILE = 'store.json';

const PRECISIONS: readonly StorePrecision[] = ['float32', 'float16'];

/** Names of other columns of a shard, and of columns that a batch can be asked for. */
const RESERVED = [
  ...['key', 'position', 'token', 'label', 'indices', 'log_probabilities', 'log_tail'],
  ...['tokens', 'labels', 'targets'],
];

/** Returns the description of a new store; throws for options out of range. */
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

/** Throws unless the options describe the store that is there, and names the first difference. */
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

/** Throws unless the files have a description, and it is this one. */
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

/** Reads `store.json`; throws where it is something else. */
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
