import {
  type FloatArray,
  float32,
  float64,
  type KernelName,
  kernelInfo,
  Matrix,
  MatrixArena,
  ResponseDistillationStrategy,
  selectKernel,
} from 'knowledge-distillation';
import { type Contestant, type Prepared, prepared } from './compete.js';
import { ALPHA, type Problem, TEMPERATURE } from './problem.js';

/** A temperature that is not whole, where nothing can be had by multiplying; the others are at {@link TEMPERATURE}. */
const ANY = 3.5;

/** The kernels that this engine has, the best first. */
export function kernels(): KernelName[] {
  selectKernel('auto');
  return kernelInfo().kernel === 'fma' ? ['fma', 'simd', 'scalar'] : ['simd', 'scalar'];
}

/** The same with a kernel selected before it runs. */
export async function withKernel(
  kernel: KernelName,
  prepare: () => Promise<Prepared>,
): Promise<Prepared> {
  selectKernel(kernel);
  const { run, ...rest } = await prepare();
  return {
    ...rest,
    run: (repetitions) => {
      selectKernel(kernel);
      return run(repetitions);
    },
  };
}

/** Arrays of the JavaScript heap, and a new gradient for each step. */
function plain(kernel: KernelName, temperature: number): Contestant<Problem> {
  return {
    name: `this library, ${kernel}, T = ${temperature}`,
    prepare: ({ student, teacher, labels, rows, columns }) =>
      withKernel(kernel, async () => {
        const options = { temperature, alpha: ALPHA };
        const strategy = new ResponseDistillationStrategy<FloatArray>(options);
        const [s, t] = [new Matrix(student, rows, columns), new Matrix(teacher, rows, columns)];
        const ready = await prepared(() => strategy.computeLossAndGradient(s, t, labels).loss);
        return { ...ready, loss: at3(s, t, labels) };
      }),
  };
}

/** Matrices of an arena, the gradient among them. */
function inArena(kernel: KernelName, temperature: number, threads = 1): Contestant<Problem> {
  const who = threads === 1 ? 'arena' : `arena, ${threads} threads`;
  return {
    name: `this library, ${kernel}, ${who}, T = ${temperature}`,
    prepare: ({ student, teacher, labels, rows, columns, dtype }) =>
      withKernel(kernel, async () => {
        const numeric = dtype === 'float32' ? float32 : float64;
        const bytes = (3 * rows + 4 * threads + 1) * columns * numeric.bytesPerElement + (1 << 17);
        const arena =
          threads === 1 ? new MatrixArena(bytes) : await MatrixArena.withThreads(bytes, threads);
        const zeros = () => arena.zeros<FloatArray>(rows, columns, numeric);
        const [s, t, gradient] = [zeros(), zeros(), zeros()];
        s.data.set(student);
        t.data.set(teacher);
        const options = { temperature, alpha: ALPHA };
        const strategy = new ResponseDistillationStrategy<FloatArray>(options);
        const step = () => strategy.computeLossAndGradient(s, t, labels, { gradient }).loss;
        const ready = await prepared(step, () => arena.close());
        return { ...ready, loss: at3(s, t, labels) };
      }),
  };
}

/** The loss at the temperature of all others, to be compared with theirs. */
function at3(s: Matrix<FloatArray>, t: Matrix<FloatArray>, labels: Int32Array): number {
  const options = { temperature: TEMPERATURE, alpha: ALPHA };
  return new ResponseDistillationStrategy<FloatArray>(options).computeLoss(s, t, labels);
}

/** This library: every kernel, on the heap and in an arena, at a whole temperature and at another. */
export function library(): Contestant<Problem>[] {
  return kernels().flatMap((kernel) =>
    kernel === 'scalar'
      ? [plain(kernel, TEMPERATURE), plain(kernel, ANY)]
      : [
          inArena(kernel, TEMPERATURE, 2),
          inArena(kernel, TEMPERATURE),
          inArena(kernel, ANY),
          plain(kernel, TEMPERATURE),
          plain(kernel, ANY),
        ],
  );
}

/** As it comes: the kernel that is found, arrays of the heap. */
export function plainest(): Contestant<Problem> {
  return plain(kernels()[0]!, TEMPERATURE);
}
