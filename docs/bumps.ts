import {
  type DistillationStrategyBase,
  float64,
  type Labels,
  Matrix,
  SparseTargets,
} from '../src/index.js';

// A teacher that has two peaks and students that have one, for the pictures of losses of logits:
// where such a student goes tells the losses apart.

const CLASSES = 41;

/** Logits of the teacher: 70 % of the probability are around class 12, 30 % around class 30. */
export const TWO_PEAKS: Matrix<Float64Array> = rowOf((index) =>
  Math.log(0.7 * density(index, 12, 2.5) + 0.3 * density(index, 30, 2.5) + 1e-6),
);
/** The class of the larger peak, for losses that need a label. */
export const LABEL: Labels<Float64Array> = Int32Array.of(12);

function density(x: number, mean: number, width: number): number {
  return Math.exp(-((x - mean) ** 2) / (2 * width ** 2)) / width;
}

function rowOf(logit: (index: number) => number): Matrix<Float64Array> {
  return Matrix.fromRows([Array.from({ length: CLASSES }, (_, index) => logit(index))], float64);
}

/** The softmax of a row of logits. */
export function likelihoods(logits: Matrix<Float64Array>, temperature = 1): number[] {
  const { indices, values } = SparseTargets.topK(logits, logits.columns, { temperature });
  const result = new Array<number>(logits.columns).fill(0);
  indices.forEach((index, i) => {
    result[index] = Math.exp(values.get(0, i));
  });
  return result;
}

/** A student of one peak. */
export class Bump {
  constructor(
    readonly mean: number,
    readonly logWidth: number = Math.log(3),
  ) {}

  logits(): Matrix<Float64Array> {
    return rowOf((index) => -((index - this.mean) ** 2) / (2 * this.#variance));
  }

  /** The loss of the bump, and its derivatives by `mean` and `logWidth`. */
  evaluate(
    strategy: DistillationStrategyBase<Float64Array>,
    teacher: Matrix<Float64Array>,
    labels?: Labels<Float64Array>,
  ): { loss: number; slope: number; widthSlope: number } {
    const { loss, gradient } = strategy.computeLossAndGradient(this.logits(), teacher, labels);
    let [slope, widthSlope] = [0, 0];
    gradient.data.forEach((derivative, index) => {
      const distance = index - this.mean;
      slope += (derivative * distance) / this.#variance;
      widthSlope += (derivative * distance ** 2) / this.#variance;
    });
    return { loss, slope, widthSlope };
  }

  /** The bump after a step against the gradient. */
  step(
    strategy: DistillationStrategyBase<Float64Array>,
    teacher: Matrix<Float64Array>,
    rate: number,
    labels?: Labels<Float64Array>,
  ): Bump {
    const { slope, widthSlope } = this.evaluate(strategy, teacher, labels);
    return new Bump(this.mean - 3 * rate * slope, this.logWidth - 0.1 * rate * widthSlope);
  }

  get #variance(): number {
    return Math.exp(2 * this.logWidth);
  }

  /** The bump of the smallest loss that gradient descent finds from several places. */
  static closestTo(
    teacher: Matrix<Float64Array>,
    strategy: DistillationStrategyBase<Float64Array>,
  ): Bump {
    const found = [8, 12, 20, 30].map((mean) => descend(new Bump(mean), teacher, strategy));
    const losses = found.map((bump) => bump.evaluate(strategy, teacher).loss);
    return found[losses.indexOf(Math.min(...losses))]!;
  }
}

function descend(
  start: Bump,
  teacher: Matrix<Float64Array>,
  strategy: DistillationStrategyBase<Float64Array>,
): Bump {
  let bump = start;
  for (let step = 0; step < 2000; step++) {
    // The steps shrink, since the gradient of some losses does not.
    bump = bump.step(strategy, teacher, 1 / (1 + step / 200));
  }
  return bump;
}
