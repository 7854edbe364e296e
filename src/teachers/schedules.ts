import { checkInteger, checkNumber, checkOptions, refuse, throwType } from '../core/errors.js';

/** Maps a step of training, counted from 0, to a number such as a temperature or a weight. */
export type Schedule = (step: number) => number;

/** Options of {@link linear} and {@link cosine}. */
export interface ScheduleOptions {
  /** The number at step 0, finite. */
  readonly from: number;
  /** The number at step `steps` and after it, finite. */
  readonly to: number;
  /** Number of steps from `from` to `to`, an integer ≥ 1. */
  readonly steps: number;
}

/**
 * Creates a schedule that changes linearly from one number to another, then stays constant.
 *
 * ```math
 * f(step) = from + (to − from) · min(step / steps, 1)
 * ```
 *
 * @param options - `from`, `to` and `steps`
 * @returns a function of the step, an integer ≥ 0
 * @throws {DistillationError} `OUT_OF_RANGE` for an option or a step out of range, `UNKNOWN_OPTION`
 * @throws {TypeError} for an option or a step that is not a number
 *
 * @example
 * ```ts
 * import { linear, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ResponseDistillationStrategy();
 * const temperature = linear({ from: 4, to: 1, steps: 1000 });
 * for (let step = 0; step < 3; step++) strategy.temperature = temperature(step);
 * console.log(temperature(500)); // 2.5
 * ```
 */
export function linear(options: ScheduleOptions): Schedule {
  return interpolate('linear', options, (share) => share);
}

/**
 * Creates a schedule that follows half a period of a cosine, slow at both ends, then stays
 * constant.
 *
 * ```math
 * f(step) = from + (to − from) · (1 − cos(π · min(step / steps, 1))) / 2
 * ```
 *
 * @param options - `from`, `to` and `steps`
 * @returns a function of the step, an integer ≥ 0
 * @throws {DistillationError} `OUT_OF_RANGE` for an option or a step out of range, `UNKNOWN_OPTION`
 * @throws {TypeError} for an option or a step that is not a number
 * @see [Loshchilov and Hutter 2017](https://arxiv.org/abs/1608.03983), "SGDR: Stochastic Gradient
 *   Descent with Warm Restarts", §3. Without the restarts.
 *
 * @example
 * ```ts
 * import { cosine } from 'knowledge-distillation';
 *
 * const alpha = cosine({ from: 0.9, to: 0.1, steps: 1000 });
 * console.log(alpha(500)); // 0.5
 * ```
 */
export function cosine(options: ScheduleOptions): Schedule {
  return interpolate('cosine', options, (share) => (1 - Math.cos(Math.PI * share)) / 2);
}

/**
 * Creates a schedule that interpolates linearly between points. It is constant before the first
 * and after the last point.
 *
 * @param points - pairs of a step (an integer ≥ 0) and the number at this step (finite). The steps
 *   ascend
 * @returns a function of the step, an integer ≥ 0
 * @throws {DistillationError} `EMPTY` without a point, `OUT_OF_RANGE` for a step that is not an
 *   integer ≥ 0 or does not ascend, and for a number that is not finite
 * @throws {TypeError} if `points` is not an array of pairs of numbers
 *
 * @example
 * ```ts
 * import { piecewise } from 'knowledge-distillation';
 *
 * const weight = piecewise([[100, 0], [200, 0.3], [1000, 0.1]]); // up from 0, then slowly down
 * console.log(weight(50), weight(150), weight(2000)); // 0 0.15 0.1
 * ```
 */
export function piecewise(points: readonly (readonly [step: number, value: number])[]): Schedule {
  const operation = 'piecewise';
  if (!Array.isArray(points)) throwType(operation, 'points', 'be an array of pairs', points);
  if (points.length === 0) refuse('EMPTY', operation, 'points', 'hold at least one pair', 'none');
  const known = points.map((point, i) => readPoint(`points[${i}]`, point));
  for (let i = 1; i < known.length; i++) {
    const [before, here] = [known[i - 1]![0], known[i]![0]];
    if (here > before) continue;
    refuse('OUT_OF_RANGE', operation, `points[${i}][0]`, `be above ${before}`, String(here));
  }
  return (step) => {
    checkInteger(operation, 'step', step, 0);
    const next = known.findIndex(([at]) => at > step);
    // After the last point, `next` is −1: at(-1) is the last point.
    const [before, after] = [known.at(next - 1)!, known.at(next)!];
    if (next <= 0) return after[1];
    const share = (step - before[0]) / (after[0] - before[0]);
    return before[1] + (after[1] - before[1]) * share;
  };
}

function readPoint(argument: string, point: unknown): readonly [number, number] {
  const operation = 'piecewise';
  if (!Array.isArray(point)) throwType(operation, argument, 'be a pair [step, value]', point);
  const [step, value] = point;
  return [
    checkInteger(operation, `${argument}[0]`, step, 0),
    checkNumber(operation, `${argument}[1]`, value, 'be finite', Number.isFinite),
  ];
}

/** Creates a schedule; `easing` maps the share of the steps that are done, in [0, 1), to [0, 1). */
function interpolate(
  operation: string,
  options: ScheduleOptions,
  easing: (share: number) => number,
): Schedule {
  const names = ['from', 'to', 'steps'];
  checkOptions(operation, 'options', options, names, names);
  const { from, to, steps } = options;
  checkNumber(operation, 'from', from, 'be finite', Number.isFinite);
  checkNumber(operation, 'to', to, 'be finite', Number.isFinite);
  checkInteger(operation, 'steps', steps, 1);
  return (step) => {
    checkInteger(operation, 'step', step, 0);
    return step >= steps ? to : from + (to - from) * easing(step / steps);
  };
}
