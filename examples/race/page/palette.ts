import { type Signal, signal } from '@preact/signals';
import { color as property } from '../../shared/page/chart.js';

const isDark: Signal<boolean> = signal(false);

/** Repaints canvases that use {@link color} when the colour scheme of the system changes. */
export function followColorScheme(): void {
  const query = matchMedia('(prefers-color-scheme: dark)');
  isDark.value = query.matches;
  query.addEventListener('change', () => {
    isDark.value = query.matches;
  });
}

/**
 * Returns the value of a custom property of style.css. An effect that reads it runs again when the
 * colour scheme changes.
 */
export function color(name: string): string {
  isDark.value; // subscribes
  return property(name);
}
