import { effect, type Signal, signal } from '@preact/signals';
import type { Race } from './race.js';

/** The connection as far as the browser tells; not in TypeScript's types. */
interface Connected {
  readonly connection?: { readonly saveData?: boolean };
}

/**
 * Starts the race once it is ready, unless the visitor had paused it or asks for little movement or
 * few data. Pauses it while the page is hidden.
 */
export function steer(race: Race, wasPaused: boolean): void {
  const isHidden = followVisibility();
  let starts = !wasPaused && !wantsRest();
  effect(() => {
    const status = race.status.value;
    if (isHidden.value && status === 'training') {
      starts = true;
      race.pause();
    } else if (!isHidden.value && status === 'ready' && starts) {
      starts = false;
      if (!race.isLapOver.value) race.train();
    }
  });
}

function followVisibility(): Signal<boolean> {
  const isHidden = signal(document.hidden);
  document.addEventListener('visibilitychange', () => {
    isHidden.value = document.hidden;
  });
  return isHidden;
}

function wantsRest(): boolean {
  const { connection } = navigator as Connected;
  return matchMedia('(prefers-reduced-motion: reduce)').matches || connection?.saveData === true;
}
