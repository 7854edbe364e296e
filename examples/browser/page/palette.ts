import { type Signal, signal } from '@preact/signals';

const isDark: Signal<boolean> = signal(false);

/** Has what is painted with {@link color} follow the colour scheme of the system. */
export function followColorScheme(): void {
  const query = matchMedia('(prefers-color-scheme: dark)');
  isDark.value = query.matches;
  query.addEventListener('change', () => {
    isDark.value = query.matches;
  });
}

/**
 * The value of a custom property of style.css; an effect that reads it runs anew when the scheme
 * changes.
 */
export function color(name: string): string {
  isDark.value; // subscribes
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}
