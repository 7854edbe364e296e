import { checkNumber, throwShape, throwType } from '../core/errors.js';
import { type FloatArray, typeTag } from '../core/numeric.js';

/**
 * Updates the weights of a teacher, in place, as the exponential moving average of the student's
 * weights.
 *
 * ```math
 * θ_teacher = d · θ_teacher + (1 − d) · θ_student
 * ```
 *
 * @param target - weights of the teacher, a `Float32Array` or `Float64Array`; overwritten
 * @param source - weights of the student: the same number of weights, in the same order
 * @param decay - the factor d of the teacher's weights, in [0, 1]. Usual values are near 1, and
 *   lower at the start of training (see {@link cosine})
 * @throws {DistillationError} `SHAPE_MISMATCH` if the lengths differ, `OUT_OF_RANGE` for `decay`.
 *   `target` is then unchanged
 * @throws {TypeError} if an array is not a `Float32Array` or `Float64Array`
 * @see [Tarvainen and Valpola 2017](https://arxiv.org/abs/1703.01780), "Mean teachers are better
 *   role models", §2. As in the paper.
 * @see [Caron et al. 2021](https://arxiv.org/abs/2104.14294) (DINO), §3.1. The same update.
 *
 * @example
 * ```ts
 * import { updateAverage } from 'knowledge-distillation';
 *
 * const teacher = Float32Array.of(1, 2);
 * updateAverage(teacher, Float32Array.of(3, 2), 0.75);
 * console.log(teacher); // Float32Array(2) [ 1.5, 2 ]
 * ```
 */
export function updateAverage(target: FloatArray, source: FloatArray, decay: number): void {
  const operation = 'updateAverage';
  for (const [name, values] of Object.entries({ target, source })) {
    if (/^Float(32|64)Array$/.test(typeTag(values))) continue;
    throwType(operation, name, 'be a Float32Array or a Float64Array', values);
  }
  if (source.length !== target.length) {
    throwShape(operation, 'source', [source.length], [target.length], 'the length of target');
  }
  const inRange = (value: number) => value >= 0 && value <= 1;
  checkNumber(operation, 'decay', decay, 'be in [0, 1]', inRange);
  for (let i = 0; i < target.length; i++) {
    target[i] = decay * target[i]! + (1 - decay) * source[i]!;
  }
}
