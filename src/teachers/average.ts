import { checkNumber, throwShape, throwType } from '../core/errors.js';
import { type FloatArray, typeTag } from '../core/numeric.js';

/**
 * Moves the weights of a teacher that follows its student, in place: an exponential moving average.
 *
 *     target = decay · target + (1 − decay) · source
 *
 * Tarvainen and Valpola (2017), "Mean teachers are better role models", §2, arXiv:1703.01780; DINO
 * moves its teacher so too.
 *
 * @param target - weights of the teacher, a `Float32Array` or `Float64Array`; written
 * @param source - as many weights of the student
 * @param decay - how much of the teacher stays, in [0, 1]; near 1, and at the start of training
 * lower (see `cosine`)
 * @throws {DistillationError} SHAPE_MISMATCH for other lengths, OUT_OF_RANGE for `decay`; nothing
 * is written then
 * @throws {TypeError} for what is no such array
 *
 * @example
 * import { updateAverage } from 'knowledge-distillation';
 *
 * const teacher = Float32Array.of(1, 2);
 * updateAverage(teacher, Float32Array.of(3, 2), 0.75);
 * console.log(teacher); // Float32Array(2) [ 1.5, 2 ]
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
