import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { FRAME } from './detector/features.js';
import { Silero } from './silero.js';

/** Returns where the teacher is: Silero's voice detector, 6th edition. */
export function teacherFile(): string {
  const entry = createRequire(import.meta.url).resolve('@ricky0123/vad-web');
  return join(dirname(entry), 'silero_vad_v6.onnx');
}

/** Listens to several sounds of the same length at once, frame by frame. */
export class Teacher {
  readonly #session: InferenceSession;

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
    const network = new Silero(this.#session, Tensor, sounds.length);
    for (let frame = 0; frame < frames; frame++) {
      const probabilities = await network.hear(
        sounds.map((sound) => sound.subarray(frame * FRAME, (frame + 1) * FRAME)),
      );
      heard.forEach((row, index) => {
        row[frame] = probabilities[index]!;
      });
    }
    return heard;
  }
}
