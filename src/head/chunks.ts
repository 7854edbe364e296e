// The rows of a batch as a strategy reads them: one chunk at a time.

import type { BatchRequest, CheckedInputs, TeacherOutput } from '../call/batch.js';
import { NO_OVERRIDES } from '../call/options.js';
import type { Parameter } from '../call/parameter.js';
import { RowLossSink } from '../call/rowOptions.js';
import { isClassIndices, type Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { SparseTargets } from '../teachers/sparse.js';
import { isSparse } from '../teachers/sparseCheck.js';
import type { GradientChunk } from './gradients.js';
import { type HeadLogits, putLogits } from './head.js';
import { ScratchMatrices } from './scratchMatrices.js';

/** Number of logits of a chunk by default: 14 MiB of float32. */
const CHUNK_LOGITS = 3.5 * 2 ** 20;

/**
 * Smallest number of rows of a chunk by default. Each chunk copies the whole weight twice for its
 * products: these copies take a tenth of the time for 96 rows, and most of the time for 16 rows.
 */
const SMALLEST_CHUNK = 96;

/** Chunks are multiples of two panels: products compute rows in panels of 8. */
const PANELS = 16;

/** Returns the default number of rows of a chunk, for logits with this number of columns. */
export function chunkRowsOf(columns: number): number {
  return Math.max(SMALLEST_CHUNK, PANELS * Math.floor(CHUNK_LOGITS / columns / PANELS));
}

/** A call whose arguments are checked, except for the checks of the strategy. */
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

/** Hidden states of a chunk on one side, and the logits that the head computes from them. */
class ChunkLogits<T extends FloatArray> {
  readonly #head: HeadLogits<T>;
  readonly #hidden: Matrix<T>;
  readonly #logits: Matrix<T>;

  constructor(head: HeadLogits<T>, rows: number, scratch: ScratchMatrices<T>) {
    this.#head = head;
    this.#hidden = scratch.take(rows, head.hidden);
    this.#logits = scratch.take(rows, head.weight);
    this.#logits.data.fill(1 / head.weight.columns);
  }

  hidden(count: number): Matrix<T> {
    return this.#hidden.rowRange(0, count);
  }

  logits(count: number): Matrix<T> {
    return this.#logits.rowRange(0, count);
  }

  /** Computes the logits of these rows of the batch. */
  compute(rows: readonly number[]): void {
    const { hidden, weight, bias } = this.#head;
    for (const [i, row] of rows.entries())
      this.#hidden.data.set(hidden.row(row), i * hidden.columns);
    putLogits({ hidden: this.#hidden, weight, bias }, this.logits(rows.length));
  }
}

/**
 * The scratch buffers of a chunk: hidden states and logits of both sides, and the gradients by the
 * student's hidden states and logits.
 */
export class Chunks<T extends FloatArray> {
  readonly #call: HeadCall<T>;
  readonly #scratch: ScratchMatrices<T>;
  readonly #student: ChunkLogits<T>;
  readonly #teacher: ChunkLogits<T> | undefined;
  readonly #logitsGradient: Matrix<T>;
  readonly #hiddenGradient: Matrix<T>;

  constructor(call: HeadCall<T>) {
    this.#call = call;
    const { operation, student, teacher, chunkRows, inputs } = call;
    const rows = Math.min(chunkRows, inputs.rows.length);
    const scratch = new ScratchMatrices(operation, student.weight);
    this.#scratch = scratch;
    this.#student = new ChunkLogits(student, rows, scratch);
    this.#teacher = isHead(teacher) ? new ChunkLogits(teacher, rows, scratch) : undefined;
    this.#logitsGradient = scratch.take(rows, student.weight);
    this.#hiddenGradient = scratch.take(rows, student.hidden);
  }

  /**
   * Returns the hidden states of a chunk, and buffers for its gradients, of unspecified content.
   */
  gradientChunk({ length }: readonly number[]): GradientChunk<T> {
    return {
      hidden: this.#student.hidden(length),
      logitsGradient: this.#logitsGradient.rowRange(0, length),
      hiddenGradient: this.#hiddenGradient.rowRange(0, length),
    };
  }

  /** Releases the scratch buffers. */
  close(): void {
    this.#scratch.close();
  }

  /** Returns the rows of each chunk. If no row is read, there is one chunk without rows. */
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
   * Returns a request with equal logits, which every strategy accepts: it serves to check all other
   * arguments. Only valid before the first call of `request`, which overwrites the logits.
   */
  placeholder(rows: readonly number[], operation: string): BatchRequest<T> {
    return this.#request(rows, operation, undefined);
  }

  /** Computes the logits of a chunk, and returns the request for the strategy. */
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
      rowWeights: inputs.rowWeights && gatherNumbers(inputs.rowWeights, rows),
      temperatures: inputs.temperatures && gatherNumbers(inputs.temperatures, rows),
      rowLosses: losses && new RowLossSink(losses),
      inherited: NO_OVERRIDES,
      learned,
      memo: { checked: undefined, kept: undefined },
    };
  }
}

function areConsecutive(rows: readonly number[]): boolean {
  const { length } = rows;
  return length > 0 && rows[length - 1]! - rows[0]! === length - 1;
}

/** Returns rows of a matrix: a view if the rows are consecutive, a copy otherwise. */
function matrixRows<T extends FloatArray>(matrix: Matrix<T>, rows: readonly number[]): Matrix<T> {
  return areConsecutive(rows)
    ? matrix.rowRange(rows[0]!, rows[0]! + rows.length)
    : matrix.gatherRows(rows);
}

function labelRows<T extends FloatArray>(labels: Labels<T>, rows: readonly number[]): Labels<T> {
  if (!isClassIndices(labels)) return matrixRows(labels, rows);
  return Int32Array.from(rows, (row) => labels[row]!);
}

function gatherNumbers(values: Float64Array, rows: readonly number[]): Float64Array {
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
