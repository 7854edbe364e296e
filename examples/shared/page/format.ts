/** 0.842 → '84.2 %' */
export function formatPercent(fraction: number, digits = 1): string {
  return `${(100 * fraction).toFixed(digits)}\u202f%`;
}
