import { defaultDevice, init, numpy as np, valueAndGrad } from '@jax-js/jax';
import { type Contestant, prepared } from './compete.js';
import { responseLoss } from './jaxLoss.js';
import { oneHot, type Problem } from './problem.js';

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
    const differentiate = valueAndGrad((logits: np.Array) =>
      responseLoss(logits, teachers.ref, targets.ref),
    );
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
