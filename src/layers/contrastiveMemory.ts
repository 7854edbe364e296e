import { checkMatrixFinite } from '../call/diagnosis.js';
import { allocate } from '../core/allocate.js';
import { checkDtype } from '../core/checks.js';
import { readNumeric } from '../core/convert.js';
import {
  checkFraction,
  checkInteger,
  checkNumber,
  checkOptions,
  throwShape,
  throwType,
} from '../core/errors.js';
import { Matrix, zeroMatrix } from '../core/matrix.js';
import { type FloatArray, type NumericTrait, traitOf } from '../core/numeric.js';
import { Generator } from '../core/random.js';
import type { Grid } from '../kernels/products/grid.js';
import { norm } from '../kernels/rows/distance.js';

/** Options of a {@link ContrastiveMemory}. */
export interface ContrastiveMemoryOptions<T extends FloatArray = Float32Array> {
  /** Number of samples that each row is contrasted with, ≥ 1; 16384. */
  readonly negatives?: number | undefined;
  /** Weight of the old vector when a sample is remembered, in [0, 1]; 0.5. */
  readonly momentum?: number | undefined;
  /** An integer; the same seed gives the same vectors and negatives on every machine; 0. */
  readonly seed?: number | undefined;
  /** Number format of the student's features; float32. */
  readonly numeric?: NumericTrait<T> | undefined;
}

/** log Z of each side; Z normalizes the similarities of its rows with the vectors of the memory. */
export interface LogNormalizers {
  readonly student: number;
  readonly teacher: number;
}

/** A memory between two batches, as plain data for `structuredClone` and databases. */
export interface ContrastiveMemoryState<T extends FloatArray = Float32Array> {
  readonly columns: number;
  readonly negatives: number;
  readonly momentum: number;
  /** The student's vectors, one sample after another. */
  readonly student: T;
  readonly teacher: T;
  /** State of the generator that draws the negatives. */
  readonly generator: number;
  readonly logNormalizers?: LogNormalizers | undefined;
}

/** What a state has beside the vectors. */
export type MemoryNumbers = Pick<
  ContrastiveMemoryState,
  'negatives' | 'momentum' | 'generator' | 'logNormalizers'
>;

const NAME = 'ContrastiveMemory';
const SIDES = ['student', 'teacher'] as const;

/**
 * Holds the memory of a {@link ContrastiveRepresentationDistillationStrategy}: for each sample of a
 * data set, one vector of length 1 of the student and one of the teacher. The first vectors are
 * random.
 *
 * - `samples`: number of samples in the data set. `columns`: width of the vectors.
 *
 * Only {@link select}, and the strategy's `calibrate` and `remember`, change the memory. A loss
 * only reads it.
 *
 * Cost: 2 × samples × columns numbers: 51 MB for 50,000 samples, 128 columns and float32.
 *
 * Tian et al. (2020), "Contrastive Representation Distillation", §3.1, arXiv:1910.10699, after Wu
 * et al. (2018), arXiv:1805.01978. As in the authors' code, negatives are drawn with replacement
 * from all samples, the sample of the row included. To contrast with other classes only, pass
 * negatives to {@link select}.
 *
 * @example
 * import { ContrastiveMemory } from 'knowledge-distillation';
 *
 * const memory = new ContrastiveMemory(1000, 16, { negatives: 64, seed: 7 });
 * memory.select([3, 997]); // the two rows of the next batch are these samples
 * const copy = ContrastiveMemory.restore(structuredClone(memory.state()));
 */
export class ContrastiveMemory<T extends FloatArray = Float32Array> {
  readonly negatives: number;
  readonly momentum: number;
  /** The student's vectors, one row per sample. */
  readonly student: Matrix<T>;
  /** The teacher's vectors, one row per sample. */
  readonly teacher: Matrix<T>;
  readonly #generator: Generator;
  #entries = new Int32Array();
  /** @internal Set by the strategy's `calibrate`. */
  logNormalizers: LogNormalizers | undefined;

  constructor(samples: number, columns: number, options: ContrastiveMemoryOptions<T> = {}) {
    checkInteger(NAME, 'samples', samples, 1);
    checkInteger(NAME, 'columns', columns, 1);
    checkOptions(NAME, 'options', options, ['negatives', 'momentum', 'seed', 'numeric']);
    const { negatives = 16384, momentum = 0.5, seed = 0 } = options;
    this.negatives = checkInteger(NAME, 'negatives', negatives, 1);
    this.momentum = checkFraction(NAME, 'momentum', momentum);
    checkNumber(NAME, 'seed', seed, 'be an integer', Number.isSafeInteger);
    const numeric = readNumeric(NAME, options.numeric);
    this.#generator = new Generator(seed);
    const bound = Math.sqrt(3 / columns); // the mean squared length of a row is then 1
    const entries = (): Matrix<T> => {
      const matrix = zeroMatrix(NAME, { samples, columns }, numeric);
      const { data } = matrix;
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * this.#generator.next() - 1);
      return matrix;
    };
    this.student = entries();
    this.teacher = entries();
  }

  /** Restores a memory from what its method `state` returned; the arrays are copied. */
  static restore<T extends FloatArray>(state: ContrastiveMemoryState<T>): ContrastiveMemory<T> {
    const operation = `${NAME}.restore`;
    checkOptions(operation, 'state', state);
    const { columns, negatives, momentum, student } = state;
    for (const side of SIDES) {
      if (traitOf(state[side]) !== undefined) continue;
      throwType(operation, side, 'be a Float32Array or a Float64Array', state[side]);
    }
    const numeric = traitOf(student) as NumericTrait<T>; // traitOf has seen the type
    checkInteger(operation, 'columns', columns, 1);
    const samples = Math.max(1, Math.floor(student.length / columns));
    const options = { negatives, momentum, numeric };
    const memory = new ContrastiveMemory(samples, columns, options);
    for (const side of SIDES) {
      const { length } = state[side];
      if (length !== samples * columns) {
        throwShape(operation, side, [length], [samples * columns], `${samples} samples`);
      }
      const entries = new Matrix(state[side], samples, columns);
      checkDtype(operation, side, entries, memory.student);
      checkMatrixFinite(operation, side, entries);
      memory[side].data.set(entries.data);
    }
    memory.numbersWriter(operation, '', state)();
    return memory;
  }

  /**
   * Returns what a later run needs in order to continue exactly as this one. The selection is not
   * included.
   */
  state(): ContrastiveMemoryState<T> {
    const { columns, numeric } = this.student;
    const vectors = ({ data }: Matrix<T>): T => numeric.from(data);
    const { student, teacher } = this;
    return { columns, student: vectors(student), teacher: vectors(teacher), ...this.numbers() };
  }

  /** @internal Returns what a state has beside the vectors. */
  numbers(): MemoryNumbers {
    const { negatives, momentum, logNormalizers } = this;
    const generator = this.#generator.state;
    return {
      negatives,
      momentum,
      generator,
      logNormalizers: logNormalizers && { ...logNormalizers },
    };
  }

  /**
   * @internal Checks what {@link numbers} of a memory with the same options returned; returns the
   * function that takes it over, and drops the selection.
   *
   * @param place - prefix of the arguments in messages
   */
  numbersWriter(operation: string, place: string, numbers: MemoryNumbers): () => void {
    for (const name of ['negatives', 'momentum'] as const) {
      const own = this[name];
      const expected = `be ${own}, as in the memory`;
      checkNumber(operation, `${place}${name}`, numbers[name], expected, (value) => value === own);
    }
    const { generator, logNormalizers } = numbers;
    const argument = `${place}generator`;
    checkNumber(operation, argument, generator, 'be an integer', Number.isSafeInteger);
    if (logNormalizers !== undefined) {
      checkOptions(operation, `${place}logNormalizers`, logNormalizers, SIDES);
      for (const side of SIDES) {
        const name = `${place}logNormalizers.${side}`;
        checkNumber(operation, name, logNormalizers[side], 'be finite', Number.isFinite);
      }
    }
    return () => {
      this.#generator.state = generator;
      this.logNormalizers = logNormalizers && { ...logNormalizers };
      this.#entries = new Int32Array();
    };
  }

  /**
   * Sets the sample of each row of the next batch, and the samples that the row is contrasted with.
   *
   * @param samples - one index in [0, samples) for each row; any index for a row that will be
   *   masked
   * @param negatives - `negatives` indices for each row, row after row; drawn at random if they are
   *   left out
   * @throws {DistillationError} OUT_OF_RANGE for an index, SHAPE_MISMATCH for the wrong number of
   *   negatives
   */
  select(samples: ArrayLike<number>, negatives?: ArrayLike<number>): void {
    const operation = `${NAME}.select`;
    const selected = this.#checkIndices(operation, 'samples', samples);
    const { length } = selected;
    const others =
      negatives === undefined ? undefined : this.#checkIndices(operation, 'negatives', negatives);
    if (others && others.length !== length * this.negatives) {
      const expected = [length * this.negatives];
      throwShape(operation, 'negatives', [others.length], expected, 'negatives of the rows');
    }
    const count = this.negatives + 1;
    const sizes = { 'samples.length': length, 'negatives + 1': count };
    const entries = allocate(operation, sizes, (size) => new Int32Array(size));
    for (const [row, sample] of selected.entries()) {
      entries[row * count] = sample;
      for (let j = 1; j < count; j++) {
        const position = row * this.negatives + j - 1;
        entries[row * count + j] =
          others?.[position] ?? Math.floor(this.#generator.next() * this.student.rows);
      }
    }
    this.#entries = entries;
  }

  /**
   * The last selection: for each row the index of its sample, then the indices of its negatives.
   */
  get entries(): Int32Array {
    return this.#entries;
  }

  /**
   * @internal Blends rows of the batch into the vectors of their samples, one row after another:
   *
   *     vector ← momentum · vector + (1 − momentum) · row, scaled to length 1
   */
  blend(side: 'student' | 'teacher', units: Grid, rows: readonly number[]): void {
    const { momentum, negatives } = this;
    const { data, columns } = this[side];
    const entry = new Float64Array(columns);
    for (const [i, row] of rows.entries()) {
      const from = this.#entries[row * (negatives + 1)]! * columns;
      for (let k = 0; k < columns; k++) {
        entry[k] = momentum * data[from + k]! + (1 - momentum) * units.data[i * columns + k]!;
      }
      const length = norm(entry, 0, columns);
      if (length === 0) continue;
      for (let k = 0; k < columns; k++) data[from + k] = entry[k]! / length;
    }
  }

  #checkIndices(operation: string, argument: string, indices: ArrayLike<number>): number[] {
    const expected = `be an index in [0, ${this.student.rows})`;
    if (typeof indices !== 'object' || typeof indices?.length !== 'number') {
      throwType(operation, argument, 'be a list of indices', indices);
    }
    const inRange = (index: number) =>
      Number.isInteger(index) && index >= 0 && index < this.student.rows;
    const list: number[] = [];
    for (let row = 0; row < indices.length; row++) {
      list.push(checkNumber(operation, `${argument}[${row}]`, indices[row], expected, inRange));
    }
    return list;
  }
}
