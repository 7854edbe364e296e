import { type FloatArray, type Labels, Matrix, type NumericTrait } from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';

/** The arguments of a call. */
export interface OrdinaryCall<T extends FloatArray> {
  readonly student: Matrix<T>;
  readonly teacher: Matrix<T>;
  readonly labels: Labels<T> | undefined;
}

/** Returns the numbers of columns of a case, by default the given number on both sides. */
export function widthsOf(
  { columns }: StrategySubject,
  otherwise: number,
): { student: number; teacher: number } {
  const width = columns ?? otherwise;
  return typeof width === 'number' ? { student: width, teacher: width } : width;
}

/** Makes a call that every strategy of the case accepts. All elements of a row differ. */
export function ordinaryCall<T extends FloatArray>(
  subject: StrategySubject,
  rows: number,
  numeric: NumericTrait<T>,
): OrdinaryCall<T> {
  const widths = widthsOf(subject, 4);
  const side = (width: number, shift: number) =>
    Matrix.fromRows(
      Array.from({ length: rows }, (_, i) =>
        Array.from({ length: width }, (_, j) =>
          subject.values === 'probabilities' ? 1 / width : ((7 * i + 5 * j + shift) % 11) / 4 - 1,
        ),
      ),
      numeric,
    );
  return {
    student: side(widths.student, 3),
    teacher: side(widths.teacher, 1),
    labels:
      subject.labels === 'classes' ? Int32Array.from({ length: rows }, (_, i) => i % 2) : undefined,
  };
}
