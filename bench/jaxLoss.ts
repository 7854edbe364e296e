import { nn, numpy as np } from '@jax-js/jax';
import { ALPHA, TEMPERATURE } from './problem.js';

/**
 * The response loss by hand, of jax-js operations. Without labels, it is the soft loss. Consumes
 * its arguments, as the functions of jax-js do.
 */
export function responseLoss(student: np.Array, teacher: np.Array, oneHot?: np.Array): np.Array {
  const rows = student.shape[0]!;
  const logits = oneHot ? student.ref : student;
  const logP = nn.logSoftmax(teacher.div(TEMPERATURE), -1);
  const logQ = nn.logSoftmax(logits.div(TEMPERATURE), -1);
  const divergence = np.exp(logP.ref).mul(logP.sub(logQ)).sum();
  const soft = divergence.mul(TEMPERATURE ** 2);
  if (!oneHot) return soft.div(rows);
  const hard = oneHot.mul(nn.logSoftmax(student, -1)).sum();
  return soft
    .mul(1 - ALPHA)
    .sub(hard.mul(ALPHA))
    .div(rows);
}
