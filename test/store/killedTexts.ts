import { Matrix, SparseTargets } from '../../src/index.js';
import type { TeacherSequence, TeacherStoreOptions } from '../../src/store/index.js';

export const TEXTS = 300;

export const KILLED_OPTIONS: TeacherStoreOptions = {
  columns: 50,
  k: 8,
  teacher: 'big',
  shardRows: 64,
  chunkRows: 32,
};

/** Makes a text that depends only on its number. */
export function killedSequence(number: number): TeacherSequence {
  const rows = 1 + (number % 7);
  const logits = Matrix.zeros(rows, 50);
  for (let i = 0; i < logits.data.length; i++) logits.data[i] = 5 * Math.sin(number + i * i);
  const tokens = Array.from({ length: rows }, (_, i) => (number + i) % 50);
  return { targets: SparseTargets.topK(logits, 8), tokens, prompt: [number % 50] };
}
