import { type Signal, signal } from '@preact/signals';
import { createStore, del, getMany, set, type UseStore } from 'idb-keyval';
import { type Recipe, SNAPSHOT_VERSION, type Snapshot } from '../worker/protocol.js';
import type { Drawing } from './drawing.js';

/** What the page goes on from after a reload. */
export interface Saved {
  readonly snapshot: Snapshot;
  readonly recipe: Recipe;
  readonly drawing: Drawing;
}

/** Why the browser keeps nothing for this page, if it does not; the page works all the same. */
export const refusal: Signal<string | undefined> = signal(undefined);

let opened: UseStore | undefined;

/** Of its own for every version, so that nothing is read that an older page has written. */
function store(): UseStore {
  opened ??= createStore(`knowledge-distillation-${SNAPSHOT_VERSION}`, 'student');
  return opened;
}

export async function load(): Promise<Partial<Saved>> {
  try {
    const [snapshot, recipe, drawing] = await getMany(['snapshot', 'recipe', 'drawing'], store());
    return { snapshot, recipe, drawing };
  } catch (error) {
    refusal.value = String(error);
    return {};
  }
}

export function save<Key extends keyof Saved>(key: Key, value: Saved[Key]): void {
  attempt(() => set(key, value, store()));
}

export function forget(key: keyof Saved): void {
  attempt(() => del(key, store()));
}

/** Where storage is forbidden, it may throw at once, or refuse later. */
async function attempt(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    refusal.value = String(error);
  }
}
