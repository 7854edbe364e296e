import type { Signal } from '@preact/signals';
import type { Drawing } from './drawing.js';
import type { Race } from './race.js';

/** The state of the page, which its parts share. */
export interface AppProps {
  readonly race: Race;
  readonly drawing: Signal<Drawing>;
  /** One held-out image of each digit; undefined until they are decoded. */
  readonly samples: Signal<readonly Float32Array[] | undefined>;
}
