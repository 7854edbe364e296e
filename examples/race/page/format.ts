import { formatPercent } from '../../shared/page/format.js';

/** 0.842 → '84 %', 0.002 → '< 1 %', 0.998 → '> 99 %': neither nothing nor certainty is claimed. */
export function formatProbability(probability: number): string {
  if (probability < 0.01) return `<\u202f${formatPercent(0.01, 0)}`;
  if (probability > 0.99) return `>\u202f${formatPercent(0.99, 0)}`;
  return formatPercent(probability, 0);
}

/** 28610 → '28,610' */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}
