export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Divides the numbers of each round, such as times of two contestants. A slow contestant runs in
 * the first rounds only: the other rounds have no quotient.
 */
export function quotients(
  numerators: readonly number[],
  denominators: readonly number[],
): number[] {
  const rounds = Math.min(numerators.length, denominators.length);
  return numerators.slice(0, rounds).map((value, round) => value / denominators[round]!);
}
