import { type Signal, signal } from '@preact/signals';
import { createStore, del, getMany, set, type UseStore, update } from 'idb-keyval';
import { type Recipe, SNAPSHOT_VERSION, type Snapshot } from '../worker/protocol.js';
import type { Drawing } from './drawing.js';
import type { Run } from './race.js';

/** The state that the page restores after a reload. */
export interface Saved {
  /** The students. */
  readonly labels: Snapshot;
  readonly taught: Snapshot;
  /** The recipe of the next step of the taught student. */
  readonly recipe: Recipe;
  readonly runs: readonly Run[];
  readonly drawing: Drawing;
  /** True if the visitor has paused the race. */
  readonly isPaused: boolean;
}

const KEYS = ['labels', 'taught', 'recipe', 'runs', 'drawing', 'isPaused'] as const;

/**
 * The browser's reason for storing nothing; undefined if it stores. The page works in both cases.
 */
export const refusal: Signal<string | undefined> = signal(undefined);

let opened: UseStore | undefined;

/** Opens the store of this version of snapshots, so that data of an older page are not read. */
function store(): UseStore {
  opened ??= createStore(`knowledge-distillation-${SNAPSHOT_VERSION}`, 'race');
  return opened;
}

export async function load(): Promise<Partial<Saved>> {
  try {
    const values = await getMany([...KEYS], store());
    return Object.fromEntries(KEYS.map((key, index) => [key, values[index]]));
  } catch (error) {
    refusal.value = String(error);
    return {};
  }
}

export function save<Key extends keyof Saved>(key: Key, value: Saved[Key]): void {
  attempt(() => set(key, value, store()));
}

/** Changes what is stored, to which another tab may have added. */
export function change<Key extends keyof Saved>(
  key: Key,
  changed: (stored?: Saved[Key]) => Saved[Key],
): void {
  attempt(() => update(key, changed, store()));
}

export function forget(key: keyof Saved): void {
  attempt(() => del(key, store()));
}

/** Writes to the store. Where storage is forbidden, a write may throw or reject. */
async function attempt(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    refusal.value = String(error);
  }
}
