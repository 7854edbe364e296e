import { sharesBase } from '../call/sharesBase.js';
import { checkInteger, checkNumber, checkOptions } from '../core/errors.js';
import { type FloatArray, float32, float64, type NumericTrait } from '../core/numeric.js';
import { arbitraries, type FastCheck } from './arbitraries.js';
import {
  gradientIsReused,
  maskedRowsAreNotRead,
  maskSelects,
  methodsAgree,
  refusesNaN,
} from './callLaws.js';
import type { DistillationCase } from './cases.js';
import { degenerateCases } from './degenerate.js';
import { agreesThroughHead, rowwise } from './headLaw.js';
import {
  refusesRowOptions,
  rowsHaveTemperatures,
  weightsAddUp,
  weightZeroMasks,
} from './rowLaws.js';
import { checkSubject, type StrategySubject, type Subject } from './subject.js';
import {
  chunksAddUp,
  formatsAgree,
  hasMinimum,
  isDerivative,
  isInvariant,
  isWeighted,
  staysFinite,
} from './valueLaws.js';

/** Throws if a law does not hold for one example in one dtype. */
type LawCheck = <T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
) => void;

/** One law. Any test runner can run it: `test(law.name, law.check)`. */
export interface Law {
  /** The law as a sentence. */
  readonly name: string;
  /**
   * Throws if the law does not hold. The message has the law's name, the seed and the smallest
   * counterexample.
   */
  readonly check: () => void;
}

/** Options of {@link strategyLaws}, with the names that fast-check uses. */
export interface LawOptions {
  /**
   * Seed of the random cases, an integer. The same seed gives the same cases.
   *
   * @defaultValue another seed in each run
   */
  readonly seed?: number | undefined;
  /**
   * Number of random cases for each law.
   *
   * @defaultValue 100, or the number set by `fc.configureGlobal`
   */
  readonly numRuns?: number | undefined;
}

/**
 * Returns the laws that every strategy of this library satisfies, as properties of your strategy.
 *
 * 1. The gradient is the derivative of the loss.
 * 2. The methods agree to the bit.
 * 3. The loss is at least the declared minimum, and reaches it at student = teacher.
 * 4. The declared invariances hold.
 * 5. Masked rows may hold anything, and a mask equals leaving the rows out.
 * 6. Chunks with one normalizer add up.
 * 7. float32 agrees with float64.
 * 8. Inputs are not written; `gradient` and `accumulate` agree with a new gradient.
 * 9. Loss and gradient are finite for values up to ±1e4.
 * 10. A NaN is refused. After an error, an accumulating call has not changed its gradients,
 *     including
 *     those of learnable parameters; a buffer that was to be overwritten may hold any numbers.
 * 11. A weight in a hybrid multiplies loss and gradient.
 * 12. If the strategy's `isSumOverRows` is true, the loss is the weighted sum of the losses of its
 *     rows, weights of 1 change no bit, and a row of weight 0 is not read. Otherwise, row weights
 *     and row losses are refused.
 * 13. If the subject's `temperatures` is true, each row has its completed temperature.
 * 14. If the strategy can be evaluated through a head (see `computeThroughHead`), the result
 *     in chunks equals the result for the matrix of logits.
 *
 * Each law is tried on random cases, and then on fixed ones: a row of zeros, a row of equal
 * numbers, and equal rows, on either side and on both; and student = teacher.
 *
 * @param fc - fast-check, as installed beside your tests
 * @param subject - creates the strategy, and declares its properties
 * @param options - `seed` and `numRuns` of every law
 * @returns the laws, not run yet. `check` throws an `Error` that begins with the name of the law
 * and holds the seed and the smallest counterexample
 * @throws {DistillationError} `OUT_OF_RANGE` for `seed` and `numRuns`, `UNKNOWN_OPTION` for an
 *   unknown field of the subject or an unknown option
 * @throws {TypeError} for a field or an option of the wrong type
 *
 * @example
 * ```ts
 * import fc from 'fast-check';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { strategyLaws } from 'knowledge-distillation/testing';
 *
 * const laws = strategyLaws(
 *   fc,
 *   {
 *     create: () => new ResponseDistillationStrategy({ temperature: 2 }),
 *     values: 'logits',
 *     invariances: ['row-shift', 'row-order', 'column-order'],
 *     float32Tolerance: 1e-4, // float32 kernels; terms can cancel almost completely
 *   },
 *   { seed: 42, numRuns: 200 },
 * );
 * for (const law of laws) law.check(); // with a test runner: test(law.name, law.check)
 * console.log(laws.length, laws[0]?.name); // 17 the gradient is the derivative of the loss
 * ```
 */
export function strategyLaws(
  fc: FastCheck,
  subject: StrategySubject,
  options: LawOptions = {},
): readonly Law[] {
  checkSubject(subject);
  const parameters = checkLawOptions(options);
  const { cases } = arbitraries(fc);
  const { minimum = 0, isRegular = () => true, rounding = 1e-12 } = subject;
  const completed = { ...subject, minimum, isRegular, rounding };
  const takesWeights = takesRowWeights(subject);
  const caseOptions = { ...subject, rowWeights: takesWeights === true };
  const examples = degenerateCases(subject).map((each): [DistillationCase] => [each]);
  const law = (
    name: string,
    holds: (example: DistillationCase) => void,
    magnitude?: number,
  ): Law => {
    const property = fc.property(
      cases(magnitude === undefined ? caseOptions : { ...caseOptions, magnitude }),
      holds,
    );
    const assert = (more: { examples?: [DistillationCase][]; numRuns?: number }) =>
      fc.assert(property, {
        ...parameters,
        ...more,
        includeErrorInReport: true,
        reporter: (details) => {
          if (!details.failed) return;
          const report = `${name}: ${fc.defaultReportMessage(details)}`;
          throw new Error(report, { cause: details.errorInstance });
        },
      });
    const check = () => {
      assert({}); // first, because fast-check shrinks random cases, but no examples
      assert({ examples, numRuns: examples.length });
    };
    return { name, check };
  };
  const inBothFormats = (name: string, holds: LawCheck, magnitude?: number): Law =>
    law(
      name,
      (example) => {
        holds(completed, float32, example);
        holds(completed, float64, example);
      },
      magnitude,
    );
  return [
    law('the gradient is the derivative of the loss', (example) =>
      isDerivative(completed, example),
    ),
    inBothFormats('loss and gradient agree to the bit, however they are asked for', methodsAgree),
    inBothFormats(
      'the loss is at least its minimum, and reaches it at student = teacher',
      hasMinimum,
    ),
    ...completed.invariances.map((invariance) =>
      inBothFormats(`the loss does not change with ${invariance}`, (...call) =>
        isInvariant(invariance, ...call),
      ),
    ),
    inBothFormats('rows that are masked out may hold anything', maskedRowsAreNotRead),
    law('a mask is the same as leaving the rows out', (example) => maskSelects(completed, example)),
    ...(subject.sumOverRows === false
      ? []
      : [inBothFormats('chunks with one normalizer add up', chunksAddUp)]),
    ...(takesWeights === true
      ? [
          inBothFormats('the loss is the weighted sum of the losses of its rows', weightsAddUp),
          inBothFormats('a weight of 0 is a mask, and the row still counts', weightZeroMasks),
        ]
      : []),
    ...(takesWeights === false
      ? [
          law('weights and losses of rows are refused', (example) =>
            refusesRowOptions(completed, example),
          ),
        ]
      : []),
    ...(isRowwiseSubject(subject)
      ? [
          inBothFormats(
            'the logits need not exist: it is the same through a head',
            agreesThroughHead,
          ),
        ]
      : []),
    ...(subject.temperatures
      ? [inBothFormats('each row has its completed temperature', rowsHaveTemperatures)]
      : []),
    law('float32 agrees with float64', (example) => formatsAgree(completed, example)),
    inBothFormats(
      'inputs stay untouched; a given gradient gets what a new one gets',
      gradientIsReused,
    ),
    inBothFormats('loss and gradient are finite for values up to ±1e4', staysFinite, 1e4),
    inBothFormats('a NaN in a row that counts is refused, and nothing is added', refusesNaN),
    law('a weight in a hybrid weights loss and gradient', (example) =>
      isWeighted(completed, example),
    ),
  ];
}

/**
 * Whether a strategy takes row weights; `undefined` for a bare implementation of the interface,
 * whose methods do not show it.
 */
function takesRowWeights({ create }: StrategySubject): boolean | undefined {
  try {
    const strategy = create(float64);
    return sharesBase(strategy) ? strategy.isSumOverRows : undefined;
  } catch {
    return undefined; // every law reports the error of `create`
  }
}

/** Whether a strategy can be evaluated through a head. */
function isRowwiseSubject({ create }: StrategySubject): boolean {
  try {
    return rowwise(create(float64)) !== undefined;
  } catch {
    return false; // every law reports the error of `create`
  }
}

/**
 * Checks the options, and returns the defined ones: fast-check would take an undefined number of
 * runs as given.
 */
function checkLawOptions(options: LawOptions): { seed?: number; numRuns?: number } {
  const operation = 'strategyLaws';
  checkOptions(operation, 'options', options, ['seed', 'numRuns']);
  const { seed, numRuns } = options;
  if (seed !== undefined) {
    checkNumber(operation, 'seed', seed, 'be an integer', Number.isSafeInteger);
  }
  if (numRuns !== undefined) checkInteger(operation, 'numRuns', numRuns, 1);
  return { ...(seed !== undefined && { seed }), ...(numRuns !== undefined && { numRuns }) };
}
