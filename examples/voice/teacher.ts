import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { FRAME, SAMPLE_RATE } from './detector/features.js';

/** Samples before a frame that the teacher reads again. */
const CONTEXT = 64;
/** Numbers of the teacher's memory for each scene: two vectors. */
const MEMORY = 128;

/** Returns where the teacher is: Silero's voice detector, 6th edition. */
export function teacherFile(): string {
  const entry = createRequire(import.meta.url).resolve('@ricky0123/vad-web');
  return join(dirname(entry), 'silero_vad_v6.onnx');
}

/** Listens to several sounds of the same length at once, frame by frame. */
export class Teacher {
  readonly #session: InferenceSession;
  readonly #rate = new Tensor('int64', BigInt64Array.of(BigInt(SAMPLE_RATE)), []);

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async open(): Promise<Teacher> {
    // A frame is too small to be split over threads.
    return new Teacher(await InferenceSession.create(teacherFile(), { intraOpNumThreads: 1 }));
  }

  /** Returns the probability of speech in each frame of each sound. */
  async listen(sounds: readonly Float32Array[]): Promise<Float32Array[]> {
    const frames = Math.floor(sounds[0]!.length / FRAME);
    const heard = sounds.map(() => new Float32Array(frames));
    const width = CONTEXT + FRAME;
    const input = new Float32Array(sounds.length * width); // zeros before the first frame
    let state: Tensor = new Tensor('float32', new Float32Array(2 * sounds.length * MEMORY), [
      2,
      sounds.length,
      MEMORY,
    ]);
    for (let frame = 0; frame < frames; frame++) {
      sounds.forEach((sound, row) => {
        const start = row * width;
        input.copyWithin(start, start + FRAME, start + width);
        input.set(sound.subarray(frame * FRAME, (frame + 1) * FRAME), start + CONTEXT);
      });
      const outputs = await this.#session.run({
        input: new Tensor('float32', input, [sounds.length, width]),
        state,
        sr: this.#rate,
      });
      state = outputs.stateN!;
      const probabilities = outputs.output!.data as Float32Array;
      heard.forEach((row, index) => {
        row[frame] = probabilities[index]!;
      });
    }
    return heard;
  }
}
