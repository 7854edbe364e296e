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
import type {
  ContrastiveMemoryOptions,
  ContrastiveMemoryState,
  LogNormalizers,
  MemoryNumbers,
} from './memoryState.js';

const NAME = 'ContrastiveMemory';
const SIDES = ['student', 'teacher'] as const;

/**
 * Holds the memory of a {@link ContrastiveRepresentationDistillationStrategy}: for each sample of a
 * data set, one vector of length 1 of the student and one of the teacher. The first vectors are
 * random.
 *
 * Only {@link select}, and the strategy's `calibrate` and `remember`, change the memory. A loss
 * only reads it.
 *
 * Cost: memory for 2 × samples × columns numbers: 51 MB for 50,000 samples, 128 columns and
 * float32.
 *
 * @see [Tian et al. 2020](https://arxiv.org/abs/1910.10699), §3.1. "Contrastive Representation
 *   Distillation", after Wu et al. 2018 (arXiv:1805.01978). As in the authors' code, negatives are
 *   drawn with replacement from all samples, the sample of the row included. To contrast with other
 *   classes only, pass negatives to {@link select}.
 *
 * @example
 * ```ts
 * import { ContrastiveMemory } from 'knowledge-distillation';
 *
 * const memory = new ContrastiveMemory(1000, 16, { negatives: 64, seed: 7 });
 * memory.select([3, 997]); // the two rows of the next batch are these samples
 * const copy = ContrastiveMemory.restore(structuredClone(memory.state()));
 * console.log(copy.student.rows, copy.student.columns, copy.negatives); // 1000 16 64
 * ```
 */
export class ContrastiveMemory<T extends FloatArray = Float32Array> {
  readonly negatives: number;
  readonly momentum: number;
  /** Vectors of the student, one row for each sample. */
  readonly student: Matrix<T>;
  /** Vectors of the teacher, one row for each sample. */
  readonly teacher: Matrix<T>;
  readonly #generator: Generator;
  #selection = new Int32Array();
  /** @internal Set by the strategy's `calibrate`. */
  logNormalizers: LogNormalizers | undefined;

  /**
   * @param samples - number of samples in the data set, ≥ 1
   * @param columns - width of the vectors, ≥ 1
   * @param options - negatives, momentum, seed and number format
   * @throws {DistillationError} `OUT_OF_RANGE` for a number, `UNKNOWN_OPTION`
   */
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
    const bound = Math.sqrt(3 / columns); // makes the mean squared length of a row 1
    const randomVectors = (): Matrix<T> => {
      const matrix = zeroMatrix(NAME, { samples, columns }, numeric);
      const { data } = matrix;
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * this.#generator.next() - 1);
      return matrix;
    };
    this.student = randomVectors();
    this.teacher = randomVectors();
  }

  /**
   * Restores a memory from its state; the arrays are copied.
   *
   * @param state - the result of the method `state`
   * @returns a new memory without a selection
   * @throws {DistillationError} `SHAPE_MISMATCH` for vectors that do not fill the columns,
   *   `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for another number
   * @throws {TypeError} for vectors that are no Float32Array or Float64Array
   */
  static restore<T extends FloatArray>(state: ContrastiveMemoryState<T>): ContrastiveMemory<T> {
    const operation = `${NAME}.restore`;
    checkOptions(operation, 'state', state);
    const { columns, negatives, momentum, student } = state;
    for (const side of SIDES) {
      if (traitOf(state[side]) !== undefined) continue;
      throwType(operation, side, 'be a Float32Array or a Float64Array', state[side]);
    }
    const numeric = traitOf(student) as NumericTrait<T>; // the loop above has checked the type
    checkInteger(operation, 'columns', columns, 1);
    const samples = Math.max(1, Math.floor(student.length / columns));
    const options = { negatives, momentum, numeric };
    const memory = new ContrastiveMemory(samples, columns, options);
    for (const side of SIDES) {
      const { length } = state[side];
      if (length !== samples * columns) {
        throwShape(operation, side, [length], [samples * columns], `${samples} samples`);
      }
      const vectors = new Matrix(state[side], samples, columns);
      checkDtype(operation, side, vectors, memory.student);
      checkMatrixFinite(operation, side, vectors);
      memory[side].data.set(vectors.data);
    }
    memory.numbersWriter(operation, '', state)();
    return memory;
  }

  /**
   * Copies the state that a later run needs in order to continue exactly as this one. The selection
   * is not included.
   *
   * @returns the state, for {@link restore}
   */
  state(): ContrastiveMemoryState<T> {
    const { columns, numeric } = this.student;
    const vectors = ({ data }: Matrix<T>): T => numeric.from(data);
    const { student, teacher } = this;
    return { columns, student: vectors(student), teacher: vectors(teacher), ...this.numbers() };
  }

  /** @internal Returns the parts of the state beside the vectors. */
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
   * @internal Checks the result of {@link numbers} of a memory with the same options; returns the
   *   function that takes it over and drops the selection.
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
      this.#selection = new Int32Array();
    };
  }

  /**
   * Sets the sample of each row of the next batch, and the samples that the row is contrasted with.
   *
   * @param samples - one index in [0, samples) for each row; any index for a row that will be
   *   masked
   * @param negatives - `negatives` indices for each row, row after row; drawn at random if they are
   *   left out
   * @throws {DistillationError} `OUT_OF_RANGE` for an index, `SHAPE_MISMATCH` for another number of
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
    const selection = allocate(operation, sizes, (size) => new Int32Array(size));
    for (const [row, sample] of selected.entries()) {
      selection[row * count] = sample;
      for (let j = 1; j < count; j++) {
        const position = row * this.negatives + j - 1;
        selection[row * count + j] =
          others?.[position] ?? Math.floor(this.#generator.next() * this.student.rows);
      }
    }
    this.#selection = selection;
  }

  /**
   * The last selection: for each row the index of its sample, then the indices of its negatives.
   */
  get entries(): Int32Array {
    return this.#selection;
  }

  /**
   * @internal Replaces the vector of each row's sample by momentum · vector + (1 − momentum) · row,
   *   at length 1; one row after another.
   */
  blend(side: 'student' | 'teacher', units: Grid, rows: readonly number[]): void {
    const { momentum, negatives } = this;
    const { data, columns } = this[side];
    const blended = new Float64Array(columns);
    for (const [i, row] of rows.entries()) {
      const start = this.#selection[row * (negatives + 1)]! * columns;
      for (let k = 0; k < columns; k++) {
        blended[k] = momentum * data[start + k]! + (1 - momentum) * units.data[i * columns + k]!;
      }
      const length = norm(blended, 0, columns);
      if (length === 0) continue;
      for (let k = 0; k < columns; k++) data[start + k] = blended[k]! / length;
    }
  }

  /** @internal Throws if a vector is not finite. */
  explain(operation: string): void {
    for (const side of SIDES) checkMatrixFinite(operation, `the memory's ${side}`, this[side]);
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
