import { defaultDevice, init, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { type Contestant, prepared } from './compete.js';
import { ALPHA, oneHot, type Problem, TEMPERATURE } from './problem.js';

/** jax-js on WebAssembly with automatic differentiation; the gradient is read back. */
export const jax: Contestant<Problem> = {
  name: 'jax-js, wasm',
  prepare: async (problem) => {
    const { student, teacher, rows, columns, dtype } = problem;
    if (dtype !== 'float32') return undefined;
    await init('wasm');
    defaultDevice('wasm');
    const toArray = (data: ArrayLike<number>) =>
      np.array(Float32Array.from(data)).reshape([rows, columns]);
    const students = toArray(student);
    const teachers = toArray(teacher);
    const targets = toArray(oneHot(problem));
    const differentiate = valueAndGrad((logits: np.Array) => {
      const logP = nn.logSoftmax(teachers.ref.div(TEMPERATURE), -1);
      const logQ = nn.logSoftmax(logits.ref.div(TEMPERATURE), -1);
      const soft = np.exp(logP.ref).mul(logP.sub(logQ)).sum();
      const hard = targets.ref.mul(nn.logSoftmax(logits, -1)).sum();
      return soft
        .mul((1 - ALPHA) * TEMPERATURE ** 2)
        .sub(hard.mul(ALPHA))
        .div(rows);
    });
    const step = async () => {
      const [value, gradient] = differentiate(students.ref);
      await gradient.data();
      return (await value.data())[0] ?? Number.NaN;
    };
    return prepared(step, () => {
      for (const array of [students, teachers, targets]) array.dispose();
    });
  },
};
