// A loss, its gradient, a WebAssembly kernel and threads, in whichever runtime starts this.

import {
  kernelInfo,
  Matrix,
  MatrixArena,
  ResponseDistillationStrategy,
} from 'knowledge-distillation';

function assert(holds, message) {
  if (!holds) throw new Error(message);
}

const { kernel, reason } = kernelInfo();
assert(kernel !== 'scalar', `the kernel is ${kernel}: ${reason}`);

const strategy = new ResponseDistillationStrategy({ temperature: 1 });
const student = Matrix.fromRows([[0, 0]]); // ½, ½
const teacher = Matrix.fromRows([[Math.log(3), 0]]); // ¾, ¼
const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
const expected = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5);
assert(Math.abs(loss - expected) < 1e-6, `the loss is ${loss}, not ${expected}`);
assert(Math.abs(gradient.get(0, 0) + 0.25) < 1e-6, `the gradient is ${gradient.data}`);

const [rows, columns] = [4096, 64];
const lossOn = (arena) => {
  const matrices = [1, 2, 3].map(() => arena.zeros(rows, columns));
  const [students, teachers, gradients] = matrices;
  for (let i = 0; i < rows * columns; i++) {
    students.data[i] = Math.sin(i);
    teachers.data[i] = Math.cos(i);
  }
  const options = { gradient: gradients };
  const result = strategy.computeLossAndGradient(students, teachers, undefined, options);
  return { loss: result.loss, last: gradients.data.at(-1) };
};
const bytes = 4 * rows * columns * 4;
const arena = await MatrixArena.withThreads(bytes, 2);
assert(arena.threads === 2, `${arena.threads} threads, not 2`);
const threaded = lossOn(arena);
const alone = lossOn(new MatrixArena(bytes));
assert(threaded.loss > 0 && Object.is(threaded.loss, alone.loss), 'the losses differ');
assert(threaded.last !== 0 && Object.is(threaded.last, alone.last), 'the gradients differ');
arena.close();
console.log(kernel);
