import {
  Matrix,
  RelationalDistillationStrategy,
  SimilarityPreservingDistillationStrategy,
} from 'knowledge-distillation';
import { type Contestant, prepared } from './compete.js';
import { kernels, withKernel } from './library.js';

/** The step of a loss that compares the rows of a batch with each other: its value and its gradient, in float32. */
export interface Relations {
  readonly loss: 'distance' | 'similarity';
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
}

export const RELATIONS: readonly Relations[] = [
  { loss: 'distance', name: 'RKD, distances', rows: 256, columns: 512 },
  { loss: 'similarity', name: 'similarity-preserving', rows: 256, columns: 2048 },
];

/** Features without any structure, as far from each other as rows of that length are. */
function features({ rows, columns }: Relations, phase: number): Matrix {
  const matrix = Matrix.zeros(rows, columns);
  const { data } = matrix;
  for (let i = 0; i < data.length; i++) {
    const value = 43758.5453 * Math.sin(12.9898 * i + phase);
    data[i] = 2 * (value - Math.floor(value)) - 1;
  }
  return matrix;
}

/** This library, with every kernel. */
export function library(): Contestant<Relations>[] {
  return kernels().map((kernel) => ({
    name: `this library, ${kernel}`,
    prepare: (problem) =>
      withKernel(kernel, () => {
        const strategy =
          problem.loss === 'distance'
            ? new RelationalDistillationStrategy({ distanceWeight: 1, angleWeight: 0 })
            : new SimilarityPreservingDistillationStrategy();
        const [student, teacher] = [features(problem, 0.5), features(problem, 2)];
        return prepared(() => strategy.computeLossAndGradient(student, teacher).loss);
      }),
  }));
}
