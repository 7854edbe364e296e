import { SAMPLE_RATE } from './detector/features.js';

/** Samples of a block whose level decides, 10 ms. */
const BLOCK = SAMPLE_RATE / 100;

/** A block this far below the loudest one is no speech: 35 dB. */
const QUIETEST = 10 ** (-35 / 20);

/** A gap of at most as many blocks belongs to the speech around it, 200 ms. */
const LONGEST_GAP = 20;

/**
 * Returns for each sample of a clean recording whether somebody speaks, 1 or 0. A block
 * is speech if it is at most 35 dB quieter than the loudest block. A gap of up to 200 ms between
 * two such blocks is speech, too: the pause before a plosive, for example.
 */
export function activity(clip: Float32Array): Uint8Array {
  const levels = Array.from({ length: Math.ceil(clip.length / BLOCK) }, (_, block) =>
    levelOf(clip.subarray(block * BLOCK, (block + 1) * BLOCK)),
  );
  const threshold = QUIETEST * Math.max(...levels);
  const active = new Uint8Array(clip.length);
  let last = Number.NEGATIVE_INFINITY;
  levels.forEach((level, block) => {
    if (level === 0 || level < threshold) return;
    const from = block - last - 1 <= LONGEST_GAP ? last + 1 : block;
    active.fill(1, from * BLOCK, (block + 1) * BLOCK);
    last = block;
  });
  return active;
}

/** Returns the root mean square of a sound, or of its samples that `active` marks. */
export function levelOf(sound: Float32Array, active?: Uint8Array): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < sound.length; i++) {
    if (active && active[i] === 0) continue;
    sum += sound[i]! ** 2;
    count++;
  }
  return Math.sqrt(sum / Math.max(1, count));
}
