import type { Device } from '@jax-js/jax';

/** The used part of a device of jax-js. */
interface Backend {
  malloc(size: number, data?: Uint8Array): number;
  incRef(slot: number): void;
  decRef(slot: number): void;
}

const counted = new Map<Device, Map<number, number>>();

/**
 * Counts the buffers of a device. jax-js does not report them, so that its allocations are counted
 * where they are made.
 */
export async function liveBuffers(device: Device): Promise<number> {
  const known = counted.get(device);
  if (known !== undefined) return known.size;
  const backend = await backendOf(device);
  const references = new Map<number, number>();
  counted.set(device, references);
  const { malloc, incRef, decRef } = backend;
  backend.malloc = (size, data) => {
    const slot = malloc.call(backend, size, data);
    references.set(slot, 1);
    return slot;
  };
  const add = (slot: number, step: number) => {
    const count = references.get(slot);
    if (count === undefined) return; // allocated before the counting
    if (count + step === 0) references.delete(slot);
    else references.set(slot, count + step);
  };
  backend.incRef = (slot) => {
    incRef.call(backend, slot);
    add(slot, 1);
  };
  backend.decRef = (slot) => {
    decRef.call(backend, slot);
    add(slot, -1);
  };
  return 0;
}

async function backendOf(device: Device): Promise<Backend> {
  const { createRequire } = await import('node:module');
  const { readdirSync } = await import('node:fs');
  const { dirname, join } = await import('node:path');
  const { pathToFileURL } = await import('node:url');
  const folder = dirname(createRequire(import.meta.url).resolve('@jax-js/jax'));
  const file = readdirSync(folder).find((name) => /^backend-.*\.js$/.test(name))!;
  const internals: object = await import(pathToFileURL(join(folder, file)).href);
  const getBackend = Object.values(internals).find(({ name }) => name === 'getBackend');
  return getBackend(device);
}
