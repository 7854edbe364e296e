import {
  type EvaluationOptions,
  type FloatArray,
  type IDistillationStrategy,
  type KernelName,
  kernelInfo,
  type Labels,
  type LossAndGradient,
  Matrix,
  MatrixArena,
  ResponseDistillationStrategy,
  type SparseTargets,
  selectKernel,
} from 'knowledge-distillation';
import { type Contestant, type Prepared, prepared } from './compete.js';
import { ALPHA, numericOf, type Problem, type Shape, TEMPERATURE } from './problem.js';

/** A strategy of this library with the argument types of the bench. */
export interface Strategy extends IDistillationStrategy<FloatArray> {
  computeLossAndGradient(
    student: Matrix<FloatArray>,
    teacher: Matrix<FloatArray> | SparseTargets<FloatArray>,
    labels?: Labels<FloatArray>,
    options?: EvaluationOptions<FloatArray>,
  ): LossAndGradient<FloatArray>;
}

/** The kernels that this engine supports, the fastest first. */
export function kernels(): KernelName[] {
  selectKernel('auto');
  return kernelInfo().kernel === 'fma' ? ['fma', 'simd', 'scalar'] : ['simd', 'scalar'];
}

/** Where the matrices of a call are: on the JavaScript heap, or in an arena. */
export type Place = 'plain' | 'arena';

/** The arena brings the scalar kernel no gain. */
export function placesOf(kernel: KernelName): Place[] {
  return kernel === 'scalar' ? ['plain'] : ['plain', 'arena'];
}

/** The arguments of a call. */
export interface Call {
  readonly student: Matrix<FloatArray>;
  readonly teacher: Matrix<FloatArray> | SparseTargets<FloatArray>;
  readonly labels?: Labels<FloatArray> | undefined;
  readonly options?: EvaluationOptions<FloatArray>;
}

export interface LibraryContestant {
  readonly name: string;
  readonly strategy: Strategy;
  readonly kernel: KernelName;
  readonly place: Place;
  readonly threads?: number;
  /** True if the call has labels. True by default. */
  readonly hasLabels?: boolean;
  /**
   * Replaces the arguments of the call. Called once, with the matrices in their place and the
   * gradient.
   */
  readonly change?: (call: Call, gradient: Matrix<FloatArray>) => Call;
}

/**
 * Makes a contestant of loss and gradient by this library. The gradient is a new matrix on the
 * heap, or an existing one in an arena.
 */
export function contestant(options: LibraryContestant): Contestant<Problem> {
  const { name, strategy, kernel, place, threads = 1, hasLabels = true } = options;
  const change = options.change ?? ((call: Call) => call);
  return {
    name,
    prepare: (problem) =>
      withKernel(kernel, async () => {
        const { matrix, close } = await placeFor(problem, place, threads);
        const [student, teacher] = [matrix(problem.student), matrix(problem.teacher)];
        const gradient = matrix();
        const call: Call = change(
          {
            student,
            teacher,
            labels: hasLabels ? problem.labels : undefined,
            ...(place === 'arena' && { options: { gradient } }),
          },
          gradient,
        );
        const step = () =>
          strategy.computeLossAndGradient(call.student, call.teacher, call.labels, call.options)
            .loss;
        return prepared(step, close);
      }),
  };
}

/** Returns a function that makes matrices of the problem's shape in a place. */
export async function placeFor(
  { rows, columns, dtype }: Shape,
  place: Place,
  threads: number,
): Promise<{ matrix: (data?: FloatArray) => Matrix<FloatArray>; close: () => void }> {
  const numeric = numericOf(dtype);
  let zeros = () => Matrix.zeros<FloatArray>(rows, columns, numeric);
  let close = () => {};
  if (place === 'arena') {
    const room = 4 * threads * columns * numeric.bytesPerElement + (1 << 20);
    const bytes = 3 * rows * columns * numeric.bytesPerElement + room;
    const arena =
      threads === 1 ? new MatrixArena(bytes) : await MatrixArena.withThreads(bytes, threads);
    zeros = () => arena.zeros<FloatArray>(rows, columns, numeric);
    close = () => arena.close();
  }
  const matrix = (data?: FloatArray) => {
    const made = zeros();
    if (data) made.data.set(data);
    return made;
  };
  return { matrix, close };
}

/** Returns the contestant with a kernel that is selected before each run. */
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

/** At a temperature that is not an integer, the kernels cannot replace exponentials by products. */
const ANY = 3.5;

/**
 * Returns the response loss with every kernel, in every place, at an integer temperature and at
 * another.
 */
export function responses(chosen: readonly KernelName[]): Contestant<Problem>[] {
  return chosen.flatMap((kernel) => {
    const at = (temperature: number, place: Place, threads = 1): Contestant<Problem> => {
      const where =
        place === 'plain' ? '' : threads === 1 ? ', arena' : `, arena, ${threads} threads`;
      const name = `this library, ${kernel}${where}, T = ${temperature}`;
      const strategy = new ResponseDistillationStrategy<FloatArray>({ temperature, alpha: ALPHA });
      const all = contestant({ name, strategy, kernel, place, threads });
      return temperature === TEMPERATURE ? all : withoutLoss(all);
    };
    const plain = [at(TEMPERATURE, 'plain'), at(ANY, 'plain')];
    if (kernel === 'scalar') return plain;
    return [at(TEMPERATURE, 'arena', 2), at(TEMPERATURE, 'arena'), at(ANY, 'arena'), ...plain];
  });
}

/**
 * Returns the contestant without its loss, which is not comparable with the losses of the others.
 */
export function withoutLoss<T>({ name, prepare }: Contestant<T>): Contestant<T> {
  return {
    name,
    prepare: async (problem) => {
      const ready = await prepare(problem);
      if (!ready || 'failed' in ready) return ready;
      const { loss: _, ...rest } = ready;
      return rest;
    },
  };
}

/** Returns the library with its defaults: the fastest kernel, and arrays on the heap. */
export function withDefaults(): Contestant<Problem> {
  const strategy = new ResponseDistillationStrategy<FloatArray>();
  return contestant({ name: 'this library', strategy, kernel: kernels()[0]!, place: 'plain' });
}
