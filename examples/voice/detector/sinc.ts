/** Zero crossings of the sinc on each side of a sample that is read between others. */
export const REACH = 16;

/**
 * Returns the weight of a sample at a distance, in samples, from the place that is read:
 *
 *     sinc(cutoff · distance) · cos²(π · distance / width)
 *
 * @param cutoff Where the low pass ends, as a part of the Nyquist frequency.
 * @param width Samples under the Hann window.
 */
export function windowedSinc(distance: number, cutoff: number, width: number): number {
  return sinc(cutoff * distance) * Math.cos((Math.PI * distance) / width) ** 2;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
