import type { FloatArray } from '../../core/numeric.js';

/** Places from `start` to before `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * How rows laid out [channels][height][width] are averaged: over windows that are the product of
 * two spans.
 */
export interface Pooling {
  readonly height: number;
  readonly width: number;
  readonly rowSpans: readonly Span[];
  readonly columnSpans: readonly Span[];
}

/**
 * So many spans that cover the places as evenly as can be; where one number does not divide the
 * other they overlap.
 */
export function spansOver(places: number, count: number): Span[] {
  return Array.from({ length: count }, (_, i) => ({
    start: Math.floor((i * places) / count),
    end: Math.ceil(((i + 1) * places) / count),
  }));
}

/** averages = the mean over each window of each channel of the row from `offset` on. */
export function pool(
  z: FloatArray,
  offset: number,
  { height, width, rowSpans, columnSpans }: Pooling,
  averages: Float64Array,
): void {
  let k = 0;
  for (let channel = offset; k < averages.length; channel += height * width) {
    for (const { start: top, end: bottom } of rowSpans) {
      for (const { start: left, end: right } of columnSpans) {
        let sum = 0;
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) sum += z[channel + y * width + x]!;
        }
        averages[k++] = sum / ((bottom - top) * (right - left));
      }
    }
  }
}

/**
 * The adjoint of {@link pool}: writes what the derivatives by the averages, from `offset` on, make
 * of the row.
 */
export function poolAdjoint(
  derivatives: FloatArray,
  offset: number,
  { height, width, rowSpans, columnSpans }: Pooling,
  derivative: Float64Array,
): void {
  derivative.fill(0);
  let k = offset;
  for (let channel = 0; channel < derivative.length; channel += height * width) {
    for (const { start: top, end: bottom } of rowSpans) {
      for (const { start: left, end: right } of columnSpans) {
        const share = derivatives[k++]! / ((bottom - top) * (right - left));
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) derivative[channel + y * width + x]! += share;
        }
      }
    }
  }
}

/** mean = the mean over the blocks that a row from `offset` on is made of. */
export function averageBlocks(
  z: FloatArray,
  offset: number,
  blocks: number,
  mean: Float64Array,
): void {
  mean.fill(0);
  const { length } = mean;
  for (let i = 0; i < blocks * length; i++) mean[i % length]! += z[offset + i]!;
  for (let i = 0; i < length; i++) mean[i]! /= blocks;
}

/** The adjoint of {@link averageBlocks}. */
export function averageBlocksAdjoint(
  derivatives: FloatArray,
  offset: number,
  blocks: number,
  derivative: Float64Array,
): void {
  const length = derivative.length / blocks;
  for (let i = 0; i < derivative.length; i++) {
    derivative[i] = derivatives[offset + (i % length)]! / blocks;
  }
}
