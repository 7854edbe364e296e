import { BANDS } from './features.js';
import { KERNEL, layoutOf, type Student } from './layout.js';

interface Block {
  readonly dilation: number;
  readonly depth: Float32Array;
  readonly depthBias: Float32Array;
  readonly point: Float32Array;
  readonly pointBias: Float32Array;
  /** The block's last 2 · dilation inputs, a ring of rows; zeros before the first frame. */
  readonly past: Float32Array;
}

/**
 * Runs a student frame by frame. Every frame costs the same, and nothing is allocated:
 *
 *     x = input · bands + bias
 *     x = x + point · relu(depth ∗ x + bias) + bias      for each block, dilation 1, 2, 4 …
 *     logit = output · x + bias
 *
 * `depth ∗ x` is a causal convolution of each channel with itself alone: it sees the frames t − 2d,
 * t − d and t. Frames before the first one are zeros at each block's input, as in training.
 */
export class Model {
  readonly #inputs: Float32Array;
  readonly #inputBias: Float32Array;
  readonly #blocks: readonly Block[];
  readonly #output: Float32Array;
  readonly #outputBias: Float32Array;
  readonly #x: Float32Array;
  readonly #deep: Float32Array;
  #frame = 0;

  constructor({ shape, parameters }: Student) {
    const { width, blocks } = shape;
    const tensors = new Map(
      layoutOf(shape).map(({ name, rows, columns, offset }) => [
        name,
        parameters.subarray(offset, offset + rows * columns),
      ]),
    );
    this.#inputs = tensors.get('input.weight')!;
    this.#inputBias = tensors.get('input.bias')!;
    this.#blocks = Array.from({ length: blocks }, (_, block) => ({
      dilation: 2 ** block,
      depth: tensors.get(`block${block}.depth.weight`)!,
      depthBias: tensors.get(`block${block}.depth.bias`)!,
      point: tensors.get(`block${block}.point.weight`)!,
      pointBias: tensors.get(`block${block}.point.bias`)!,
      past: new Float32Array((KERNEL - 1) * 2 ** block * width),
    }));
    this.#output = tensors.get('output.weight')!;
    this.#outputBias = tensors.get('output.bias')!;
    this.#x = new Float32Array(width);
    this.#deep = new Float32Array(width);
  }

  /** Returns the logit of speech of the next frame, of which `bands[offset]` is the first band. */
  step(bands: Float32Array, offset = 0): number {
    const x = this.#x;
    for (let i = 0; i < x.length; i++) {
      x[i] = this.#inputBias[i]! + dot(this.#inputs, i * BANDS, bands, offset, BANDS);
    }
    for (const block of this.#blocks) this.#add(block);
    this.#frame++;
    return this.#outputBias[0]! + dot(this.#output, 0, x, 0, x.length);
  }

  /** Adds the output of a block to its input. */
  #add({ dilation, depth, depthBias, point, pointBias, past }: Block): void {
    const [x, deep, width] = [this.#x, this.#deep, this.#x.length];
    // The oldest row is t − 2d, and gives its place to t once it is read.
    const oldest = (this.#frame % (2 * dilation)) * width;
    const middle = ((this.#frame + dilation) % (2 * dilation)) * width;
    for (let i = 0; i < width; i++) {
      const sum =
        depthBias[i]! +
        depth[KERNEL * i]! * past[oldest + i]! +
        depth[KERNEL * i + 1]! * past[middle + i]! +
        depth[KERNEL * i + 2]! * x[i]!;
      deep[i] = Math.max(0, sum);
    }
    past.set(x, oldest);
    for (let i = 0; i < width; i++) {
      x[i] = x[i]! + pointBias[i]! + dot(point, i * width, deep, 0, width);
    }
  }

  /** Forgets all frames. */
  reset(): void {
    for (const { past } of this.#blocks) past.fill(0);
    this.#frame = 0;
  }
}

function dot(
  left: Float32Array,
  leftStart: number,
  right: Float32Array,
  rightStart: number,
  length: number,
): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += left[leftStart + i]! * right[rightStart + i]!;
  return sum;
}

/** Returns the probability of a logit. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
