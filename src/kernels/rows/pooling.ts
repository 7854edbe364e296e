import type { FloatArray } from '../../core/numeric.js';

/** Positions from `start` up to, not including, `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Windows over which rows in the layout [channels, height, width] are averaged. Every pair of a row
 * span and a column span is a window.
 */
export interface Pooling {
  readonly height: number;
  readonly width: number;
  readonly rowSpans: readonly Span[];
  readonly columnSpans: readonly Span[];
}

/**
 * Returns `count` spans that cover the positions as evenly as possible. Neighbouring spans overlap
 * if `count` does not divide the number of positions.
 */
export function spansOver(positions: number, count: number): Span[] {
  return Array.from({ length: count }, (_, i) => ({
    start: Math.floor((i * positions) / count),
    end: Math.ceil(((i + 1) * positions) / count),
  }));
}

/** Writes the mean over each window of each channel of a row, which starts at an offset. */
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
 * Adjoint of {@link pool}: writes the derivative with respect to the row. The derivatives with
 * respect to the averages start at an offset.
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

/**
 * Writes the mean over the blocks of a row, which starts at an offset and consists of `blocks`
 * blocks.
 */
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

/** Adjoint of {@link averageBlocks}. */
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
