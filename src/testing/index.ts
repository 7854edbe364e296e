/**
 * The laws that prove the strategies of this library, for strategies of your own:
 * {@link strategyLaws}, and {@link checkGradient} for a single input.
 *
 * @module knowledge-distillation/testing
 */

export {
  type Arbitraries,
  arbitraries,
  type FastCheck,
  type MatrixShape,
  type ValueOptions,
} from './arbitraries.js';
export type { CaseOptions, DistillationCase } from './cases.js';
export {
  assertGradient,
  type CheckGradientOptions,
  checkGradient,
  checkLayerwiseGradient,
} from './checkGradient.js';
export type { DifferenceOptions, GradientReport, GradientSample } from './compareGradients.js';
export type { Invariance } from './invariances.js';
export { type Law, type LawOptions, strategyLaws } from './laws.js';
export type { StrategySubject } from './subject.js';
