// Options and state of a contrastive memory.

import type { FloatArray, NumericTrait } from '../core/numeric.js';

/** Options of a {@link ContrastiveMemory}. */
export interface ContrastiveMemoryOptions<T extends FloatArray = Float32Array> {
  /**
   * Number of samples that each row is contrasted with, ≥ 1.
   *
   * @defaultValue 16384
   */
  readonly negatives?: number | undefined;
  /**
   * Weight of the old vector when a sample is remembered, in [0, 1].
   *
   * @defaultValue 0.5
   */
  readonly momentum?: number | undefined;
  /**
   * Seed of the vectors and negatives, an integer. The same seed gives the same numbers on every
   * machine.
   *
   * @defaultValue 0
   */
  readonly seed?: number | undefined;
  /**
   * Number format of the vectors; it must be the format of the student's features.
   *
   * @defaultValue float32
   */
  readonly numeric?: NumericTrait<T> | undefined;
}

/**
 * Logarithm of the normalizer Z for each side. Z normalizes the similarities of the side's rows
 * with the vectors of the memory.
 */
export interface LogNormalizers {
  readonly student: number;
  readonly teacher: number;
}

/** State of a memory between two batches, as plain data for `structuredClone` and databases. */
export interface ContrastiveMemoryState<T extends FloatArray = Float32Array> {
  /** Width of the vectors. */
  readonly columns: number;
  readonly negatives: number;
  readonly momentum: number;
  /** Vectors of the student, one sample after another. */
  readonly student: T;
  /** Vectors of the teacher, one sample after another. */
  readonly teacher: T;
  /** State of the generator that draws the negatives. */
  readonly generator: number;
  readonly logNormalizers?: LogNormalizers | undefined;
}

/** Parts of a state beside the vectors. */
export type MemoryNumbers = Pick<
  ContrastiveMemoryState,
  'negatives' | 'momentum' | 'generator' | 'logNormalizers'
>;
