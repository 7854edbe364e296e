import {
  DistillationError,
  type DistillationStrategyBase,
  UNLABELED,
} from 'knowledge-distillation';
import { CLASSES, rowOf, type Sides } from './distributions.js';
import { short } from './drawing.js';

// The losses of the page, which the library computes.

/** An option of a loss that is a number. */
export interface NumericOption {
  readonly name: string;
  readonly defaultValue: number;
}

/** A loss as the page shows it. */
export interface Loss {
  /** For example `ReverseKL`. */
  readonly name: string;
  /** A second name that readers look for; empty for most. */
  readonly alias: string;
  readonly options: readonly NumericOption[];
}

/** The classes of the losses by name. */
export type Strategies = Readonly<
  Record<
    string,
    new (
      options: Readonly<Record<string, number>>,
    ) => DistillationStrategyBase<Float64Array>
  >
>;

/** The input of a loss. */
export interface Situation extends Sides {
  readonly temperature: number;
  readonly alpha: number;
  /** A class, or −1 for none. */
  readonly label: number;
}

/** The value and the gradient by the student's logits, or the reason why there is none. */
export type Outcome =
  | { readonly value: number; readonly gradient: readonly number[] }
  | { readonly refusal: string };

/** Evaluates a loss with its own options in a situation. */
export function evaluate(
  Strategy: Strategies[string],
  options: Readonly<Record<string, number>>,
  { teacher, student, temperature, alpha, label }: Situation,
): Outcome {
  try {
    const strategy = new Strategy({ ...options, temperature, alpha });
    const { loss, gradient } = strategy.computeLossAndGradient(
      rowOf(student),
      rowOf(teacher),
      labelsOf(label),
    );
    return { value: loss, gradient: [...gradient.data] };
  } catch (error) {
    return { refusal: refusalOf(error) };
  }
}

function labelsOf(label: number): Int32Array | undefined {
  return label === UNLABELED ? undefined : Int32Array.of(label);
}

function refusalOf(error: unknown): string {
  if (error instanceof DistillationError) return error.message;
  throw error;
}

/** The student after a step of gradient descent; the same student if the loss refuses. */
export function descended(student: readonly number[], outcome: Outcome, rate: number): number[] {
  if ('refusal' in outcome) return [...student];
  return student.map((logit, index) => logit - rate * outcome.gradient[index]!);
}

/** Whether the gradient is so small that no step is seen. */
export function isAtRest(outcome: Outcome): boolean {
  return 'refusal' in outcome || outcome.gradient.every((each) => Math.abs(each) < 0.002);
}

/**
 * The step of gradient descent for each class, as a part of the room that a picture has for it. It
 * grows with the step, and never fills the room.
 */
export function pushes(gradient: readonly number[]): number[] {
  const largest = Math.max(...gradient.map(Math.abs));
  return gradient.map((each) => -each / (largest + 0.25));
}

/** What a loss says, for those who do not see the arrows. */
export function inWords(name: string, outcome: Outcome): string {
  if ('refusal' in outcome) return outcome.refusal;
  const value = `${name}: ${short(outcome.value)}.`;
  if (isAtRest(outcome)) return `${value} It does not push the student.`;
  const classOf = (derivative: number) => CLASSES[outcome.gradient.indexOf(derivative)];
  const up = classOf(Math.min(...outcome.gradient));
  const down = classOf(Math.max(...outcome.gradient));
  return `${value} It pushes ${up} up most, and ${down} down.`;
}

/**
 * The values of a loss while the student's logit of one class goes through a range; none if the
 * loss refuses one of them.
 */
export function scan(
  Strategy: Strategies[string],
  options: Readonly<Record<string, number>>,
  { teacher, student, temperature, alpha, label }: Situation,
  index: number,
  logits: readonly number[],
): number[] {
  try {
    const strategy = new Strategy({ ...options, temperature, alpha });
    const [studentRow, teacherRow, labels] = [rowOf(student), rowOf(teacher), labelsOf(label)];
    return logits.map((logit) => {
      studentRow.set(0, index, logit);
      return strategy.computeLoss(studentRow, teacherRow, labels);
    });
  } catch (error) {
    refusalOf(error);
    return [];
  }
}
