import { checkChoice, checkFraction, checkNumbers, checkOptions } from '../core/errors.js';

/** Options of {@link curriculumWeights}. */
export interface CurriculumOptions {
  /** Which rows come first; `'easy-first'`. */
  readonly order?: 'easy-first' | 'hard-first' | undefined;
}

/**
 * Gives each row a weight by its place in a curriculum, for the call option `rowWeights`: 1 for the
 * rows that have had their turn, 0 for those to come. The share of the rows that have a weight
 * grows with the training.
 *
 *     weight = min(1, max(0, (progress · n − before) / same))
 *
 * n is the number of rows, `before` the number of rows that are easier (`'hard-first'`: harder),
 * `same` the number of rows of the same difficulty, the row included.
 *
 * Difficulties are compared, not measured: any scale will do, such as the losses of the rows, the
 * entropy of the teacher or the length of a text. Weights sum to progress · n, which is the
 * `normalizer` for the mean of the rows that take part. They are continuous in `progress`: the next
 * row comes in by degrees, and rows of the same difficulty together.
 *
 * @param difficulties - one finite number for each row. For places among all samples of a data set,
 *   pass those of all samples, and gather the weights of a batch
 * @param progress - how much of the curriculum is done, in [0, 1]. At 0 all weights are 0: begin
 * with the share of the rows that the first step learns from, by
 * `linear({ from: 0.1, to: 1, steps })`
 * @param options - the `order`
 * @returns one weight in [0, 1] for each row
 * @throws {DistillationError} EMPTY without a row, OUT_OF_RANGE for a difficulty that is not
 * finite, for `progress` and for the order, UNKNOWN_OPTION
 * @throws {TypeError} for what is no list of numbers
 *
 * @remarks Cost: sorts the difficulties.
 *
 * Platanios et al. (2019), "Competence-based Curriculum Learning for Neural Machine Translation",
 * §2.2, arXiv:1903.09848, who draw from the easiest samples; `progress` is their competence. Bengio
 * et al. (2009), "Curriculum Learning". `EasyToHardCurriculumStrategy` of AiDotNet (C#) takes the
 * rows with difficulty ≤ progress, which is the same where difficulties spread evenly over [0, 1].
 *
 * @example
 * import { curriculumWeights } from 'knowledge-distillation';
 *
 * const difficulties = [0.2, 3, 0.1, 0.7, 0.2]; // such as the loss of each row
 * console.log(curriculumWeights(difficulties, 0.4)); // 0.5, 0, 1, 0, 0.5
 * console.log(curriculumWeights(difficulties, 0.3, { order: 'hard-first' })); // 0, 1, 0, 0.5, 0
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
  for (let before = 0, end = 0; before < length; before = end) {
    while (sorted[end] === sorted[before]) end++;
    const share = (progress * length - before) / (end - before);
    weights.set(sorted[before]!, Math.min(1, Math.max(0, share)));
  }
  return values.map((value) => weights.get(value)!);
}
