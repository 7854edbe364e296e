import type { FloatArray } from '../../core/numeric.js';
import { toUnit, unitAdjoint } from './unit.js';

/**
 * Computes the attention map of one row in the layout [channels, positions]: v = mean over channels
 * of |z|^power, map = v / max(‖v‖, 1e-12). Returns the denominator.
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
      const value = z[offset + c * positions + i]!;
      map[i]! += power === 2 ? value * value : Math.abs(value) ** power;
    }
  }
  for (let i = 0; i < positions; i++) map[i]! /= channels;
  return toUnit(map, 0, positions);
}

/** Arguments and result of {@link attentionMap} for a row. */
export interface AttentionMap {
  readonly power: number;
  readonly map: Float64Array;
  readonly denominator: number;
}

/**
 * Adjoint of {@link attentionMap}: writes (d map / d z)ᵀ · mapDerivative to `derivative`.
 * Overwrites `mapDerivative`.
 */
export function attentionMapAdjoint(
  z: FloatArray,
  offset: number,
  { power, map, denominator }: AttentionMap,
  mapDerivative: Float64Array,
  derivative: Float64Array,
): void {
  const positions = map.length;
  const channels = derivative.length / positions;
  unitAdjoint(map, denominator, mapDerivative, 0, positions);
  const factor = power / channels;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < positions; i++) {
      const k = c * positions + i;
      const value = z[offset + k]!;
      const slope = power === 2 ? value : Math.sign(value) * Math.abs(value) ** (power - 1);
      derivative[k] = factor * mapDerivative[i]! * slope;
    }
  }
}
