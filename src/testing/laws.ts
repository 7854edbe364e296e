import { sharesBase } from '../call/sharesBase.js';
import { checkInteger, checkNumber, checkOptions } from '../core/errors.js';
import { type FloatArray, float32, float64, type NumericTrait } from '../core/numeric.js';
import { arbitraries, type DistillationCase, type FastCheck } from './arbitraries.js';
import {
  gradientIsReused,
  maskedRowsAreNotRead,
  maskSelects,
  methodsAgree,
  refusesNaN,
} from './callLaws.js';
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

/** Throws where a law does not hold for one example in one number format. */
type Holds = <T extends FloatArray>(
  subject: Subject,
  numeric: NumericTrait<T>,
  example: DistillationCase,
) => void;

/** One law, to be run by any test runner: `test(law.name, law.check)`. */
export interface Law {
  readonly name: string;
  /**
   * Throws, with the law's name, the seed and the smallest counterexample, where the law does not
   * hold.
   */
  readonly check: () => void;
}

/** How every law is run; the names are those of fast-check. */
export interface LawOptions {
  /**
   * Seed of the random cases, an integer: the same seed gives the same cases. Another one in each
   * run, by default.
   */
  readonly seed?: number | undefined;
  /** Number of random cases that each law is tried on; 100, or what `fc.configureGlobal` says. */
  readonly numRuns?: number | undefined;
}

/**
 * Returns the laws that every strategy of this library is put through, as properties for yours.
 *
 * 1. the gradient is the derivative of the loss; 2. the methods agree to the bit; 3. the loss has
 *    the declared minimum, and reaches it at student = teacher; 4. the declared invariances; 5.
 *    masked rows may hold anything, and a mask is the same as leaving them out; 6. chunks with one
 *    normalizer add up; 7. float32 agrees with float64;
 * 8. inputs stay untouched, and `gradient` and `accumulate` give what a fresh call gives; 9. loss
 *    and gradient are finite for values up to ±1e4; 10. a NaN is refused, and a call that fails
 *    leaves as it was what it was to add to (`accumulate`: the gradient and those of learnable
 *    parameters); what it was to overwrite is unspecified; 11. a weight in a hybrid weights both;
 *    12. if the strategy says `isSumOverRows`, the loss is the weighted sum of the losses of its
 *    rows, weights of 1 change no bit, and a row of weight 0 is not read; if not, weights and
 *    losses of rows are refused;
 * 13. if the subject says `temperatures`, each row has its own; 14. a strategy that takes any rows
 *     of a batch, see `computeThroughHead`, gives the same of logits that a head makes of hidden
 *     states, chunk by chunk.
 *
 * @param fc - fast-check, as installed beside your tests
 * @param subject - how the strategy is made, and what it promises
 * @param options - seed and number of runs of every law
 * @returns one law for each property, which nothing has run yet; `check` throws an `Error` that
 * starts with the name of the law and has the seed and the smallest counterexample
 * @throws {DistillationError} for a seed that is no integer, a number of runs below 1, and options
 * of other names
 * @example
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
 *     float32Tolerance: 1e-4, // its kernels compute in float32, and terms may all but cancel
 *   },
 *   { seed: 42, numRuns: 200 },
 * );
 * for (const law of laws) law.check(); // with a test runner: test(law.name, law.check)
 * console.log(laws.length, laws[0]?.name); // 17 the gradient is the derivative of the loss
 */
export function strategyLaws(
  fc: FastCheck,
  subject: StrategySubject,
  options: LawOptions = {},
): readonly Law[] {
  checkSubject(subject);
  const parameters = checkLawOptions(options);
  const { cases } = arbitraries(fc);
  const own = { minimum: 0, isRegular: () => true, rounding: 1e-12, ...subject };
  const takesWeights = takesRowWeights(subject);
  const asked = { ...subject, rowWeights: takesWeights === true };
  const law = (
    name: string,
    holds: (example: DistillationCase) => void,
    magnitude?: number,
  ): Law => {
    const property = fc.property(
      cases(magnitude === undefined ? asked : { ...asked, magnitude }),
      holds,
    );
    const check = () =>
      fc.assert(property, {
        ...parameters,
        includeErrorInReport: true,
        reporter: (details) => {
          if (!details.failed) return;
          const report = `${name}: ${fc.defaultReportMessage(details)}`;
          throw new Error(report, { cause: details.errorInstance });
        },
      });
    return { name, check };
  };
  const inBothFormats = (name: string, holds: Holds, magnitude?: number): Law =>
    law(
      name,
      (example) => {
        holds(own, float32, example);
        holds(own, float64, example);
      },
      magnitude,
    );
  return [
    law('the gradient is the derivative of the loss', (example) => isDerivative(own, example)),
    inBothFormats('loss and gradient agree to the bit, however they are asked for', methodsAgree),
    inBothFormats(
      'the loss is at least its minimum, and reaches it at student = teacher',
      hasMinimum,
    ),
    ...own.invariances.map((invariance) =>
      inBothFormats(`the loss does not change with ${invariance}`, (...call) =>
        isInvariant(invariance, ...call),
      ),
    ),
    inBothFormats('rows that are masked out may hold anything', maskedRowsAreNotRead),
    law('a mask is the same as leaving the rows out', (example) => maskSelects(own, example)),
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
            refusesRowOptions(own, example),
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
      ? [inBothFormats('each row has its own temperature', rowsHaveTemperatures)]
      : []),
    law('float32 agrees with float64', (example) => formatsAgree(own, example)),
    inBothFormats(
      'inputs stay untouched; a given gradient gets what a new one gets',
      gradientIsReused,
    ),
    inBothFormats('loss and gradient are finite for values up to ±1e4', staysFinite, 1e4),
    inBothFormats('a NaN in a row that counts is refused, and nothing is added', refusesNaN),
    law('a weight in a hybrid weights loss and gradient', (example) => isWeighted(own, example)),
  ];
}

/**
 * Whether a strategy takes weights of rows; `undefined` for a bare implementation of the interface,
 * which does not tell.
 */
function takesRowWeights({ create }: StrategySubject): boolean | undefined {
  try {
    const strategy = create(float64);
    return sharesBase(strategy) ? strategy.isSumOverRows : undefined;
  } catch {
    return undefined; // every law says so
  }
}

/** Whether a strategy can be evaluated through a head. */
function isRowwiseSubject({ create }: StrategySubject): boolean {
  try {
    return rowwise(create(float64)) !== undefined;
  } catch {
    return false; // every law says so
  }
}

/**
 * The options without those left out: fast-check would take an undefined number of runs for one.
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
