import {
  checkChoice,
  checkInteger,
  checkOptions,
  checkPositive,
  refuse,
  throwType,
} from '../core/errors.js';

/** How numbers are stored on disk. They are read as float32. */
export type StorePrecision = 'float32' | 'float16';

/** Rows of numbers in a store: hidden states, embeddings, logits. */
export interface DenseDescription {
  /** Numbers of a row; an integer ≥ 1. */
  readonly columns: number;
  /** Precision on disk; 'float32'. */
  readonly precision?: StorePrecision | undefined;
}

/** Dense rows as a store has them. */
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

/** The options that `createTeacherStore` compares with what is in the store. */
export interface DescriptionOptions {
  readonly teacher: string;
  readonly columns?: number | undefined;
  readonly k?: number | undefined;
  readonly temperature?: number | undefined;
  readonly precision?: StorePrecision | undefined;
  readonly dense?: Readonly<Record<string, DenseDescription>> | undefined;
}

export const VERSION = 1;
export const DESCRIPTION_FILE = 'store.json';

const PRECISIONS: readonly StorePrecision[] = ['float32', 'float16'];

/** Names that a sequence, a batch or a shard uses for something else. */
const RESERVED = [
  ...['key', 'position', 'token', 'label', 'indices', 'log_probabilities', 'log_tail'],
  ...['keys', 'offsets', 'targets', 'tokens', 'labels', 'prompt', 'studentRows', 'dense'],
];

/** Returns the description of a new store; throws for options out of range. */
export function describeStore(
  operation: string,
  options: DescriptionOptions,
): TeacherStoreDescription {
  const { teacher, columns, k, temperature = 1, precision = 'float32', dense = {} } = options;
  if (typeof teacher !== 'string') throwType(operation, 'teacher', 'be a string', teacher);
  if (teacher === '') refuse('EMPTY', operation, 'teacher', 'be the name of the teacher', '""');
  if (columns !== undefined) checkInteger(operation, 'columns', columns, 1);
  if (k !== undefined) checkInteger(operation, 'k', k, 1);
  if ((columns === undefined) !== (k === undefined)) {
    const [given, missing] = columns === undefined ? ['k', 'columns'] : ['columns', 'k'];
    refuse('MISPLACED_OPTION', operation, given!, `come with ${missing}`, `no ${missing}`);
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
    checkOptions(operation, `dense.${name}`, given, ['columns', 'precision']);
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
export function checkSameDescription(
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
