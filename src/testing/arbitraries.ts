import type { Arbitrary } from 'fast-check';
import { IGNORE_INDEX, UNLABELED } from '../labels.js';

/** The fast-check that is installed beside the tests: its default export. */
export type FastCheck = typeof import('fast-check').default;

export interface MatrixShape {
  readonly rows: number;
  readonly columns: number;
}

export interface ValueOptions extends MatrixShape {
  /** Largest absolute value; 8. */
  readonly magnitude?: number;
  /** Mix in NaN, which a strategy has to refuse; false. */
  readonly nan?: boolean;
}

/**
 * Values are multiples of this: float32 holds them exactly, and two are either tied or far enough apart that a
 * difference quotient does not step over a kink between them.
 */
const GRID = 1 / 256;

/** Rows as plain numbers, so that a counterexample can be read; each is a float32. */
export type Rows = number[][];

export interface CaseOptions {
  readonly values: 'logits' | 'features' | 'probabilities';
  /** Most rows; 4. There is at least one. */
  readonly rows?: number;
  /** Columns of the student, or of both; any from 2 to 5 where it is left out. */
  readonly columns?: number | { readonly student: number; readonly teacher: number };
  /** Largest absolute value; 8. */
  readonly magnitude?: number;
}

/** One call of a strategy. */
export interface DistillationCase {
  readonly student: Rows;
  readonly teacher: Rows;
  /** Class indices or distributions. */
  readonly labels: (number | number[])[] | undefined;
  readonly mask: number[] | undefined;
  readonly normalizer: number | undefined;
}

/** Arbitraries of what strategies take. */
export interface Arbitraries {
  /** Logits or scores: any number in ±magnitude, with ties, duplicate and constant rows mixed in. */
  logits(options: ValueOptions): Arbitrary<Rows>;
  /** Features: as logits, with zeros and zero rows mixed in. */
  features(options: ValueOptions): Arbitrary<Rows>;
  /** Rows of positive numbers that sum to 1. */
  probabilities(shape: MatrixShape): Arbitrary<Rows>;
  /** One class index a row; UNLABELED and IGNORE_INDEX mixed in. */
  labels(shape: MatrixShape): Arbitrary<number[]>;
  /** 0 or 1 a row. */
  masks(rows: number): Arbitrary<number[]>;
  /** Whole calls, with rows in which student and teacher are equal mixed in; labels, mask and normalizer or not. */
  cases(options: CaseOptions): Arbitrary<DistillationCase>;
}

/**
 * The arbitraries of this library, made with the fast-check that you pass; never NaN unless asked.
 *
 * @example
 * import fc from 'fast-check';
 * import { Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { arbitraries } from 'knowledge-distillation/testing';
 *
 * const { logits } = arbitraries(fc);
 * const strategy = new ResponseDistillationStrategy();
 * fc.assert(
 *   fc.property(logits({ rows: 2, columns: 3 }), (rows) => {
 *     const student = Matrix.fromRows(rows);
 *     return strategy.computeLoss(student, student) === 0;
 *   }),
 * );
 */
export function arbitraries(fc: FastCheck): Arbitraries {
  const values = (
    { rows, columns, magnitude = 8, nan = false }: ValueOptions,
    special: readonly number[],
  ): Arbitrary<Rows> => {
    const steps = Math.floor(magnitude / GRID);
    const bound = steps * GRID;
    const onGrid = fc.integer({ min: -steps, max: steps }).map((n) => n * GRID || 0); // never −0
    const value = nan
      ? fc.oneof(
          { weight: 9, arbitrary: onGrid },
          { weight: 1, arbitrary: fc.constant(Number.NaN) },
        )
      : onGrid;
    const row = fc.oneof(
      { weight: 8, arbitrary: fc.array(value, exactly(columns)) },
      { weight: 1, arbitrary: value.map((x) => Array<number>(columns).fill(x)) },
      {
        weight: 1,
        arbitrary: fc.array(fc.constantFrom(...special, bound, -bound), exactly(columns)),
      },
    );
    const matrix = fc.array(row, exactly(rows));
    const source = fc.array(fc.nat({ max: Math.max(rows - 1, 0) }), exactly(rows));
    const repeated = fc.tuple(matrix, source).map(([all, from]) => from.map((i) => [...all[i]!]));
    return fc.oneof({ weight: 4, arbitrary: matrix }, { weight: 1, arbitrary: repeated });
  };
  const all: Omit<Arbitraries, 'cases'> = {
    logits: (options) => values(options, [1]),
    features: (options) => values(options, [0]),
    probabilities: ({ rows, columns }) => {
      const weight = fc.float({ min: 0.5, max: 4, noNaN: true });
      const row = fc.array(weight, exactly(columns)).map((weights) => {
        const sum = weights.reduce((total, w) => total + w, 0);
        return weights.map((w) => Math.fround(w / sum));
      });
      return fc.array(row, exactly(rows));
    },
    labels: ({ rows, columns }) => {
      const index = fc.nat({ max: columns - 1 });
      const label = fc.oneof(
        { weight: 4, arbitrary: index },
        { weight: 1, arbitrary: fc.constantFrom(UNLABELED, IGNORE_INDEX) },
      );
      return fc.array(label, exactly(rows));
    },
    masks: (rows) => fc.array(fc.constantFrom(0, 1), exactly(rows)),
  };
  const cases = ({ values, rows: most = 4, columns, magnitude = 8 }: CaseOptions) => {
    const widths =
      columns === undefined
        ? fc.integer({ min: 2, max: 5 }).map((n) => ({ student: n, teacher: n }))
        : fc.constant(
            typeof columns === 'number' ? { student: columns, teacher: columns } : columns,
          );
    return fc.tuple(fc.integer({ min: 1, max: most }), widths).chain(([rows, width]) => {
      const matrix = (width: number) => all[values]({ rows, columns: width, magnitude });
      const shape = { rows, columns: width.student };
      return fc
        .record({
          student: matrix(width.student),
          teacher: matrix(width.teacher),
          labels: fc.option(
            fc.oneof<Arbitrary<(number | number[])[]>[]>(
              all.labels(shape),
              all.probabilities(shape),
            ),
            { nil: undefined },
          ),
          mask: fc.option(all.masks(rows), { nil: undefined }),
          normalizer: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
          equal: fc.array(fc.nat({ max: 3 }), exactly(rows)),
        })
        .map(({ equal, ...call }) => ({
          ...call,
          teacher: call.teacher.map((row, i) =>
            equal[i] === 0 && width.student === width.teacher ? [...call.student[i]!] : row,
          ),
        }));
    });
  };
  return { ...all, cases };
}

function exactly(length: number): { minLength: number; maxLength: number } {
  return { minLength: length, maxLength: length };
}
