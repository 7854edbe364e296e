import type { FloatArray } from '../numeric.js';
import { norm } from './distance.js';

/** The floor of the norm that the maps are divided by, as in the authors' code. */
const EPSILON = 1e-12;

/**
 * The attention map of one row laid out [channels][positions]: v = mean over channels of |z|^power, and
 * map = v / max(‖v‖, 1e-12). Returns that denominator.
 */
export function attentionMap(
  z: FloatArray,
  offset: number,
  channels: number,
  power: number,
  map: Float64Array,
): number {
  const positions = map.length;
  map.fill(0);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < positions; i++) {
      map[i]! += Math.abs(z[offset + c * positions + i]!) ** power / channels;
    }
  }
  const denominator = Math.max(norm(map, 0, positions), EPSILON);
  for (let i = 0; i < positions; i++) map[i]! /= denominator;
  return denominator;
}

/**
 * The adjoint of {@link attentionMap}: target += scale · (d map / d z)ᵀ · derivative, where `map` and
 * `denominator` are what it gave for the row. `derivative` is overwritten.
 */
export function addAttentionMapGradient(
  target: FloatArray,
  z: FloatArray,
  offset: number,
  channels: number,
  power: number,
  map: Float64Array,
  denominator: number,
  derivative: Float64Array,
  scale: number,
): void {
  const positions = map.length;
  let along = 0;
  if (denominator > EPSILON) {
    for (let i = 0; i < positions; i++) along += map[i]! * derivative[i]!;
  }
  const factor = (scale * power) / (channels * denominator);
  for (let i = 0; i < positions; i++) derivative[i] = factor * (derivative[i]! - along * map[i]!);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < positions; i++) {
      const index = offset + c * positions + i;
      const value = z[index]!;
      target[index]! += derivative[i]! * Math.sign(value) * Math.abs(value) ** (power - 1);
    }
  }
}
