// The rows of a batch, a chunk at a time, as a strategy reads them.

import type { BatchRequest, CheckedInputs, TeacherOutput } from '../call/batch.js';
import { NO_OVERRIDES } from '../call/options.js';
import type { Parameter } from '../call/parameter.js';
import { RowLossSink } from '../call/rowOptions.js';
import { isClassIndices, type Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { SparseTargets } from '../teachers/sparse.js';
import { isSparse } from '../teachers/sparseCheck.js';
import type { GradientPart } from './gradients.js';
import { type HeadLogits, putLogits } from './head.js';
import { Rooms } from './rooms.js';

/** Logits of a chunk by default: 14 MiB of float32. */
const CHUNK_LOGITS = 3.5 * 2 ** 20;

/**
 * Each chunk copies the whole weight for its products, twice. Of 96 rows that takes a tenth of the
 * time, of 16 rows most of it.
 */
const LEAST_ROWS = 96;

/** Products compute rows in panels of 8; chunks are a multiple of two of them. */
const PANELS = 16;

/** Number of rows of a chunk by default, for logits of this many columns. */
export function chunkRowsOf(columns: number): number {
  return Math.max(LEAST_ROWS, PANELS * Math.floor(CHUNK_LOGITS / columns / PANELS));
}

/** A call whose arguments have been checked, as far as no strategy has to. */
export interface HeadCall<T extends FloatArray> {
  readonly operation: string;
  readonly student: HeadLogits<T>;
  readonly teacher: TeacherOutput<T> | HeadLogits<T>;
  readonly labels: Labels<T> | undefined;
  readonly inputs: CheckedInputs<T>;
  readonly normalizer: number;
  readonly chunkRows: number;
  readonly rowLosses: Float64Array | undefined;
  readonly learned: readonly Parameter<T>[];
}

export function isHead<T extends FloatArray>(
  teacher: TeacherOutput<T> | HeadLogits<T>,
): teacher is HeadLogits<T> {
  return typeof teacher === 'object' && teacher !== null && 'hidden' in teacher;
}

/** Hidden states of a chunk, and the logits that are made of them. */
class Side<T extends FloatArray> {
  readonly #head: HeadLogits<T>;
  readonly #hidden: Matrix<T>;
  readonly #logits: Matrix<T>;

  constructor(head: HeadLogits<T>, rows: number, rooms: Rooms<T>) {
    this.#head = head;
    this.#hidden = rooms.take(rows, head.hidden);
    this.#logits = rooms.take(rows, head.weight);
    this.#logits.data.fill(1 / head.weight.columns);
  }

  hidden(count: number): Matrix<T> {
    return this.#hidden.rowRange(0, count);
  }

  logits(count: number): Matrix<T> {
    return this.#logits.rowRange(0, count);
  }

  /** Computes the logits of these rows. */
  compute(rows: readonly number[]): void {
    const { hidden, weight, bias } = this.#head;
    for (const [i, row] of rows.entries())
      this.#hidden.data.set(hidden.row(row), i * hidden.columns);
    putLogits({ hidden: this.#hidden, weight, bias }, this.logits(rows.length));
  }
}

/**
 * The memory of a chunk: hidden states and logits on both sides, and the gradients by those of the
 * student.
 */
export class Chunks<T extends FloatArray> {
  readonly #call: HeadCall<T>;
  readonly #rooms: Rooms<T>;
  readonly #student: Side<T>;
  readonly #teacher: Side<T> | undefined;
  readonly #byLogits: Matrix<T>;
  readonly #byHidden: Matrix<T>;

  constructor(call: HeadCall<T>) {
    this.#call = call;
    const { operation, student, teacher, chunkRows, inputs } = call;
    const rows = Math.min(chunkRows, inputs.rows.length);
    const rooms = new Rooms(operation, student.weight);
    this.#rooms = rooms;
    this.#student = new Side(student, rows, rooms);
    this.#teacher = isHead(teacher) ? new Side(teacher, rows, rooms) : undefined;
    this.#byLogits = rooms.take(rows, student.weight);
    this.#byHidden = rooms.take(rows, student.hidden);
  }

  /** Hidden states of a chunk, and where its gradients go, which hold numbers of another chunk. */
  part({ length }: readonly number[]): GradientPart<T> {
    return {
      hidden: this.#student.hidden(length),
      byLogits: this.#byLogits.rowRange(0, length),
      byHidden: this.#byHidden.rowRange(0, length),
    };
  }

  /** Gives the memory back. */
  close(): void {
    this.#rooms.close();
  }

  /** The rows of each chunk; a single chunk without rows where no row is read. */
  *rows(): Generator<readonly number[]> {
    const { chunkRows, inputs } = this.#call;
    const { length } = inputs.rows;
    let first = 0;
    do {
      yield inputs.rows.slice(first, first + chunkRows);
      first += chunkRows;
    } while (first < length);
  }

  /**
   * Until the first `request`: a chunk of equal logits, with which no strategy finds fault, to
   * check everything else.
   */
  blank(rows: readonly number[], operation: string): BatchRequest<T> {
    return this.#request(rows, operation, undefined);
  }

  /** Computes the logits of a chunk. */
  request(rows: readonly number[], operation: string, losses?: Float64Array): BatchRequest<T> {
    this.#student.compute(rows);
    this.#teacher?.compute(rows);
    return this.#request(rows, operation, losses);
  }

  #request(
    rows: readonly number[],
    operation: string,
    losses: Float64Array | undefined,
  ): BatchRequest<T> {
    const { teacher, labels, inputs, normalizer, learned } = this.#call;
    return {
      operation,
      student: this.#student.logits(rows.length),
      teacher: isHead(teacher) ? this.#teacher!.logits(rows.length) : teacherRows(teacher, rows),
      labels: labels && labelRows(labels, rows),
      mask: undefined,
      normalizer,
      rowWeights: inputs.rowWeights && numbersOf(inputs.rowWeights, rows),
      temperatures: inputs.temperatures && numbersOf(inputs.temperatures, rows),
      rowLosses: losses && new RowLossSink(losses),
      inherited: NO_OVERRIDES,
      learned,
      memo: { checked: undefined, kept: undefined },
    };
  }
}

function isRun(rows: readonly number[]): boolean {
  const { length } = rows;
  return length > 0 && rows[length - 1]! - rows[0]! === length - 1;
}

/** The rows of a matrix; a view where they stand one after another. */
function matrixRows<T extends FloatArray>(matrix: Matrix<T>, rows: readonly number[]): Matrix<T> {
  return isRun(rows) ? matrix.rowRange(rows[0]!, rows[0]! + rows.length) : matrix.gatherRows(rows);
}

function labelRows<T extends FloatArray>(labels: Labels<T>, rows: readonly number[]): Labels<T> {
  if (!isClassIndices(labels)) return matrixRows(labels, rows);
  return Int32Array.from(rows, (row) => labels[row]!);
}

function numbersOf(values: Float64Array, rows: readonly number[]): Float64Array {
  return Float64Array.from(rows, (row) => values[row]!);
}

function teacherRows<T extends FloatArray>(
  teacher: TeacherOutput<T>,
  rows: readonly number[],
): TeacherOutput<T> {
  if (!isSparse(teacher)) return matrixRows(teacher, rows);
  const { columns, kind, temperature, numeric, logTail } = teacher;
  const k = teacher.values.columns;
  const values = matrixRows(teacher.values, rows);
  const indices = new Int32Array(rows.length * k);
  for (const [i, row] of rows.entries()) {
    indices.set(teacher.indices.subarray(row * k, (row + 1) * k), i * k);
  }
  if (kind === 'logits') return new SparseTargets({ indices, logits: values, columns });
  const tail = logTail && numeric.from(rows.map((row) => logTail[row]!));
  return new SparseTargets({
    indices,
    logProbabilities: values,
    columns,
    temperature,
    logTail: tail,
  });
}
