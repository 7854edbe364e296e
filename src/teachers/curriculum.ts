import { checkChoice, checkFraction, checkNumbers, checkOptions } from '../core/errors.js';

/** Options of {@link curriculumWeights}. */
export interface CurriculumOptions {
  /**
   * Which rows enter the loss first.
   *
   * @defaultValue 'easy-first'
   */
  readonly order?: 'easy-first' | 'hard-first' | undefined;
}

/**
 * Computes a weight for each row from its rank in a curriculum, for the call option `rowWeights`:
 * 1 for rows that take part already, 0 for rows that come later. The share of the rows that take
 * part grows with `progress`.
 *
 * ```math
 * w = min(1, max(0, (progress · n − b) / e))
 * ```
 *
 * n is the number of rows, b the number of easier rows (with `'hard-first'`: harder rows), and e
 * the number of rows of equal difficulty, including the row itself.
 *
 * Only the order of the difficulties matters, not their scale: they may be the losses of the rows,
 * the entropy of the teacher or the length of a text. The weights sum to progress · n: pass this
 * number as `normalizer` for the mean over the rows that take part. The weights are continuous in
 * `progress`: a row enters gradually, together with all rows of equal difficulty.
 *
 * @param difficulties - one finite number for each row. To rank rows within a whole data set, pass
 *   the difficulties of all its rows, and take the weights of the batch from the result
 * @param progress - the share of the curriculum that is done, in [0, 1]. At 0 all weights are 0:
 *   begin above 0, e.g. with `linear({ from: 0.1, to: 1, steps })`
 * @param options - `order`: `'easy-first'` or `'hard-first'`
 * @returns one weight in [0, 1] for each row
 * @throws {DistillationError} `EMPTY` without a row, `OUT_OF_RANGE` for a difficulty that is not
 *   finite, for `progress` and for `order`, `UNKNOWN_OPTION`
 * @throws {TypeError} if `difficulties` is not a list of numbers
 *
 * @remarks Cost: one sort of the difficulties.
 *
 * `EasyToHardCurriculumStrategy` of AiDotNet (C#) takes the rows with difficulty ≤ progress. The
 * result is the same if the difficulties spread evenly over [0, 1].
 * @see [Platanios et al. 2019](https://arxiv.org/abs/1903.09848), "Competence-based Curriculum
 *   Learning for Neural Machine Translation", §2.2. The paper samples from the easiest rows instead
 *   of weighting rows; `progress` is the paper's competence.
 * @see [Bengio et al. 2009](https://doi.org/10.1145/1553374.1553380), "Curriculum Learning", which
 *   introduced the idea.
 *
 * @example
 * ```ts
 * import { curriculumWeights } from 'knowledge-distillation';
 *
 * const difficulties = [0.2, 3, 0.1, 0.7, 0.2]; // e.g. the loss of each row
 * const easyFirst = curriculumWeights(difficulties, 0.4);
 * console.log(easyFirst.join(' ')); // 0.5 0 1 0 0.5
 * const hardFirst = curriculumWeights(difficulties, 0.3, { order: 'hard-first' });
 * console.log(hardFirst.join(' ')); // 0 1 0 0.5 0
 * ```
 */
export function curriculumWeights(
  difficulties: ArrayLike<number>,
  progress: number,
  options: CurriculumOptions = {},
): Float64Array {
  const operation = 'curriculumWeights';
  const values = checkNumbers(
    operation,
    'difficulties',
    difficulties,
    'be finite',
    Number.isFinite,
  );
  checkFraction(operation, 'progress', progress);
  checkOptions(operation, 'options', options, ['order']);
  const { order = 'easy-first' } = options;
  checkChoice(operation, 'order', order, ['easy-first', 'hard-first']);

  const sorted = values.slice().sort();
  if (order === 'hard-first') sorted.reverse();
  const { length } = values;
  const weights = new Map<number, number>();
  for (let start = 0, end = 0; start < length; start = end) {
    while (sorted[end] === sorted[start]) end++; // rows of equal difficulty
    const share = (progress * length - start) / (end - start);
    weights.set(sorted[start]!, Math.min(1, Math.max(0, share)));
  }
  return values.map((value) => weights.get(value)!);
}
