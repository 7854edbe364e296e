import type { Subject } from './scenes.js';

/** Scenes as the students see them: frame after frame, scene after scene. */
export interface Lesson {
  readonly subjects: readonly Subject[];
  /** Frames of each scene. */
  readonly frames: number;
  /** BANDS numbers for each frame. */
  readonly bands: Float32Array;
  /** The teacher's probability of speech in each frame. */
  readonly teacher: Float32Array;
  /** 1 for each frame with speech, by the recordings alone; 0 for others. */
  readonly truth: Uint8Array;
}
