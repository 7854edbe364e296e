// The cases that the laws are tried on.

/**
 * @inline Rows as plain numbers, which make counterexamples readable; float32 holds them exactly.
 */
export type Rows = number[][];

/** The cases that `Arbitraries` generate. */
export interface CaseOptions {
  /** The kind of matrices that the strategy takes. */
  readonly values: 'logits' | 'features' | 'probabilities';
  /**
   * Largest number of rows; the smallest is 1.
   *
   * @defaultValue 4
   */
  readonly rows?: number | undefined;
  /**
   * Number of columns, for both sides or for each side.
   *
   * @defaultValue any number from 2 to 5, the same on both sides
   */
  readonly columns?: number | { readonly student: number; readonly teacher: number } | undefined;
  /**
   * Largest absolute value.
   *
   * @defaultValue 8
   */
  readonly magnitude?: number | undefined;
  /**
   * Whether some elements are −Infinity on both sides: classes or keys that are ruled out.
   *
   * @defaultValue false
   */
  readonly ruledOut?: boolean | undefined;
  /**
   * The labels that the strategy takes. `'any'`: classes, distributions or none. `'classes'`: a
   * class for every row, as an index or one-hot. `'several'`: classes, rows with a number in [0, 1]
   * for each column, or none.
   *
   * @defaultValue 'any'
   */
  readonly labels?: 'any' | 'classes' | 'several' | undefined;
  /**
   * Whether some cases have row weights, some of them 0 or negative.
   *
   * @defaultValue false
   */
  readonly rowWeights?: boolean | undefined;
  /**
   * Whether some cases have row temperatures.
   *
   * @defaultValue false
   */
  readonly temperatures?: boolean | undefined;
}

/** The arguments of one call of a strategy. */
export interface DistillationCase {
  readonly student: Rows;
  readonly teacher: Rows;
  /** Class indices or distributions. */
  readonly labels: (number | number[])[] | undefined;
  readonly mask: number[] | undefined;
  readonly normalizer: number | undefined;
  readonly rowWeights?: number[] | undefined;
  readonly temperatures?: number[] | undefined;
}
