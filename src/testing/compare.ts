/** Returns the largest absolute value. */
export function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Throws unless all elements are the same numbers, −0 and NaN included. */
export function expectSameBits(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): void {
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    throw new Error(`${what}: element ${i} is ${actual[i]}, expected exactly ${expected[i]}`);
  }
}

/** Throws unless all elements differ by at most `tolerance` · `scale`. */
export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  scale: number,
  tolerance: number,
): void {
  for (let i = 0; i < expected.length; i++) {
    if (Math.abs(actual[i]! - expected[i]!) <= tolerance * scale) continue;
    throw new Error(`${what}: element ${i} is ${actual[i]}, expected ${expected[i]}`);
  }
}

/** Whether a call throws. */
export function throws(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}
