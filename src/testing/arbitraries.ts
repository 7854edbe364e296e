import type { Arbitrary } from 'fast-check';
import { IGNORE_INDEX, UNLABELED } from '../core/labels.js';

import type { CaseOptions, DistillationCase, Rows } from './cases.js';

/** The default export of fast-check, as installed beside your tests. */
export type FastCheck = typeof import('fast-check').default;

/** The shape of a generated matrix. */
export interface MatrixShape {
  readonly rows: number;
  readonly columns: number;
}

/** The shape and the range of a generated matrix. */
export interface ValueOptions extends MatrixShape {
  /**
   * Largest absolute value.
   *
   * @defaultValue 8
   */
  readonly magnitude?: number | undefined;
  /**
   * Whether some elements are NaN, which a strategy must refuse.
   *
   * @defaultValue false
   */
  readonly nan?: boolean | undefined;
}

/**
 * All values are multiples of this number. float32 holds them exactly, and two values are either
 * equal or so far apart that a difference quotient does not step over a kink between them.
 */
const GRID = 1 / 32;

/** Arbitraries of the arguments of strategies. */
export interface Arbitraries {
  /**
   * Logits or scores: numbers in ±magnitude, sometimes with ties, duplicate rows or constant rows.
   */
  logits(options: ValueOptions): Arbitrary<Rows>;
  /** Features: as logits, sometimes with zeros or zero rows. */
  features(options: ValueOptions): Arbitrary<Rows>;
  /** Rows of positive numbers that sum to 1, some of them flat, peaked or duplicate. */
  probabilities(shape: MatrixShape): Arbitrary<Rows>;
  /** One class index for each row, sometimes `UNLABELED` or `IGNORE_INDEX`. */
  labels(shape: MatrixShape): Arbitrary<number[]>;
  /** 0 or 1 for each row. */
  masks(rows: number): Arbitrary<number[]>;
  /**
   * Whole calls, with or without labels, mask and normalizer. In some rows, student and teacher are
   * equal.
   */
  cases(options: CaseOptions): Arbitrary<DistillationCase>;
}

/**
 * Creates the arbitraries that the laws of this library use.
 *
 * @param fc - fast-check, as installed beside your tests
 * @returns arbitraries whose numbers are never NaN, unless the option `nan` asks for it
 *
 * @example
 * ```ts
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
 * console.log('the loss is 0 at student = teacher'); // the loss is 0 at student = teacher
 * ```
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
    return repeating(fc.array(row, exactly(rows)));
  };
  /** Mixes in matrices in which rows occur more than once. */
  const repeating = (matrices: Arbitrary<Rows>): Arbitrary<Rows> => {
    const repeated = matrices.chain((all) =>
      fc
        .array(fc.constantFrom(...all), exactly(all.length))
        .map((rows) => rows.map((row) => [...row])),
    );
    return fc.oneof({ weight: 4, arbitrary: matrices }, { weight: 1, arbitrary: repeated });
  };
  const all: Omit<Arbitraries, 'cases'> = {
    logits: (options) => values(options, [1]),
    features: (options) => values(options, [0]),
    probabilities: ({ rows, columns }) => {
      // The smallest probability is far above the step of a difference quotient.
      const weight = fc.oneof(fc.integer({ min: 8, max: 64 }), fc.constantFrom(1, 64));
      const row = fc.array(weight, exactly(columns)).map((weights) => {
        const sum = weights.reduce((total, w) => total + w, 0);
        return weights.map((w) => Math.fround(w / sum));
      });
      return repeating(fc.array(row, exactly(rows)));
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
  const anyLabels = (shape: MatrixShape): Arbitrary<(number | number[])[]> =>
    fc.oneof<Arbitrary<(number | number[])[]>[]>(
      all.labels(shape),
      all.probabilities(shape),
      all.labels(shape).map((classes) => oneHotRows(classes, shape.columns)),
    );
  const classLabels = ({ rows, columns }: MatrixShape): Arbitrary<(number | number[])[]> => {
    const index = fc.nat({ max: columns - 1 });
    const ignored = { weight: 1, arbitrary: fc.constant(IGNORE_INDEX) };
    return fc.oneof<Arbitrary<(number | number[])[]>[]>(
      fc.array(fc.oneof({ weight: 6, arbitrary: index }, ignored), exactly(rows)),
      fc.array(index, exactly(rows)).map((classes) => oneHotRows(classes, columns)),
    );
  };
  const severalLabels = (shape: MatrixShape): Arbitrary<(number | number[])[]> => {
    const degree = fc.oneof(
      fc.constantFrom(0, 1),
      fc.nat({ max: 64 }).map((n) => n / 64),
    );
    return fc.oneof<Arbitrary<(number | number[])[]>[]>(
      all.labels(shape),
      fc.array(fc.array(degree, exactly(shape.columns)), exactly(shape.rows)),
    );
  };
  const eachRow = (
    isMixedIn: boolean | undefined,
    rows: number,
    values: readonly number[],
  ): Arbitrary<number[] | undefined> =>
    isMixedIn
      ? fc.option(fc.array(fc.constantFrom(...values), exactly(rows)), { nil: undefined })
      : fc.constant(undefined);
  const cases = (options: CaseOptions): Arbitrary<DistillationCase> => {
    const { values, rows: maxRows = 4, columns, magnitude = 8, ruledOut = false } = options;
    const { labels = 'any' } = options;
    const widths =
      columns === undefined
        ? fc.integer({ min: 2, max: 5 }).map((n) => ({ student: n, teacher: n }))
        : fc.constant(
            typeof columns === 'number' ? { student: columns, teacher: columns } : columns,
          );
    return fc.tuple(fc.integer({ min: 1, max: maxRows }), widths).chain(([rows, width]) => {
      const matrix = (width: number) => all[values]({ rows, columns: width, magnitude });
      const shape = { rows, columns: width.student };
      return fc
        .record({
          student: matrix(width.student),
          teacher: matrix(width.teacher),
          labels:
            labels === 'classes'
              ? classLabels(shape)
              : fc.option((labels === 'any' ? anyLabels : severalLabels)(shape), {
                  nil: undefined,
                }),
          mask: fc.option(all.masks(rows), { nil: undefined }),
          normalizer: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
          rowWeights: eachRow(options.rowWeights, rows, [1, 0, -1.5, 0.25, 3]),
          temperatures: eachRow(options.temperatures, rows, [1, 0.5, 1.5, 4]),
          likeness: fc.array(fc.nat({ max: 5 }), exactly(rows)),
          ruledOut: fc.array(fc.nat({ max: 2 * width.student }), exactly(rows)),
        })
        .map(({ likeness, ruledOut: columnsOut, ...call }) => {
          const alike =
            width.student === width.teacher
              ? { ...call, teacher: likeRows(call, likeness, values) }
              : call;
          return ruledOut ? withRuledOut(alike, columnsOut) : alike;
        });
    });
  };
  return { ...all, cases };
}

function exactly(length: number): { minLength: number; maxLength: number } {
  return { minLength: length, maxLength: length };
}

/** Converts class indices to one-hot rows; a row without a class gets the first class. */
function oneHotRows(classes: readonly number[], columns: number): Rows {
  return classes.map((label) =>
    Array.from({ length: columns }, (_, j) => (j === Math.max(label, 0) ? 1 : 0)),
  );
}

/** Makes some rows of the teacher equal to the student's, and others different by a small step. */
function likeRows(
  { student, teacher }: Pick<DistillationCase, 'student' | 'teacher'>,
  likeness: readonly number[],
  values: CaseOptions['values'],
): Rows {
  const step = values === 'probabilities' ? 0 : GRID / 16;
  return teacher.map((row, i) => {
    if (likeness[i] === 0) return [...student[i]!];
    return likeness[i] === 1
      ? student[i]!.map((value, j) => (j === 0 ? value + step : value))
      : row;
  });
}

/**
 * Rules out one column of some rows on both sides, but never a column that the label of the row
 * needs.
 */
function withRuledOut(call: DistillationCase, columns: readonly number[]): DistillationCase {
  const rule = (rows: Rows): Rows =>
    rows.map((row, i) =>
      row.map((value, j) =>
        // At least one column is not ruled out.
        row.length > 1 && j === columns[i] && !needs(call.labels?.[i], j) ? -Infinity : value,
      ),
    );
  return { ...call, student: rule(call.student), teacher: rule(call.teacher) };
}

function needs(label: number | number[] | undefined, column: number): boolean {
  return typeof label === 'object' ? label[column] !== 0 : label === column;
}
