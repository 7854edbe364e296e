/**
 * The laws that the strategies are put through, for those of your own: {@link strategyLaws}, and
 * {@link checkGradient} for one input.
 *
 * @module knowledge-distillation/testing
 */

export {
  type Arbitraries,
  arbitraries,
  type CaseOptions,
  type DistillationCase,
  type FastCheck,
  type MatrixShape,
  type ValueOptions,
} from './arbitraries.js';
export {
  assertGradient,
  type CheckGradientOptions,
  checkGradient,
  checkLayerwiseGradient,
  type GradientReport,
  type GradientSample,
} from './checkGradient.js';
export type { Invariance } from './invariances.js';
export { type Law, type LawOptions, strategyLaws } from './laws.js';
export type { StrategySubject } from './subject.js';
