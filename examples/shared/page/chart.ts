/** Returns the value of a custom property of the style sheet, in the present colour scheme. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

/** Options that the axes of all charts of uPlot share. */
export const AXIS = {
  stroke: (): string => color('--muted'),
  grid: { stroke: (): string => color('--line'), width: 1 },
  ticks: { show: false },
  font: '12px system-ui, sans-serif',
};
