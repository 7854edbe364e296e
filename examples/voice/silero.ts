import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { FRAME, SAMPLE_RATE } from './detector/features.js';

/** Samples before a frame that the network reads again. */
const CONTEXT = 64;
/** Samples that the network reads for a frame. */
const WIDTH = CONTEXT + FRAME;
/** Numbers of the network's memory for each sound: two vectors. */
const MEMORY = 128;

/**
 * Silero's voice detector on several sounds at once, frame by frame. The runtime is
 * onnxruntime-node or onnxruntime-web, which have the same sessions and tensors.
 */
export class Silero {
  readonly #session: InferenceSession;
  readonly #Tensor: typeof Tensor;
  readonly #input: Float32Array;
  readonly #rate: Tensor;
  #state: Tensor;

  constructor(session: InferenceSession, tensor: typeof Tensor, sounds: number) {
    this.#session = session;
    this.#Tensor = tensor;
    this.#input = new Float32Array(sounds * WIDTH); // zeros before the first frame
    this.#rate = new tensor('int64', BigInt64Array.of(BigInt(SAMPLE_RATE)), []);
    const memory = new Float32Array(2 * sounds * MEMORY);
    this.#state = new tensor('float32', memory, [2, sounds, MEMORY]);
  }

  /** Returns the probability of speech in the next frame of each sound. */
  async hear(frames: readonly Float32Array[]): Promise<Float32Array> {
    frames.forEach((frame, sound) => {
      const start = sound * WIDTH;
      this.#input.copyWithin(start, start + FRAME, start + WIDTH);
      this.#input.set(frame, start + CONTEXT);
    });
    const outputs = await this.#session.run({
      input: new this.#Tensor('float32', this.#input, [frames.length, WIDTH]),
      state: this.#state,
      sr: this.#rate,
    });
    this.#state = outputs.stateN!;
    return outputs.output!.data as Float32Array;
  }
}
