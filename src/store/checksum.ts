import { refuse } from '../core/errors.js';

/** Hexadecimal digits of a checksum: the first 128 bits of SHA-256. */
export const CHECKSUM_DIGITS = 32;

/** Returns the checksum of a file. */
export async function checksumOf(operation: string, bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    const hint = 'serve the page by https, or from localhost';
    const expected = 'have crypto.subtle: browsers have it in secure contexts only';
    refuse('UNAVAILABLE', operation, 'globalThis', expected, 'no crypto.subtle', { hint });
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  const digits = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0'));
  return digits.join('').slice(0, CHECKSUM_DIGITS);
}

/**
 * Returns a hash of 64 bits, the same on every machine: FNV-1a, and a second word that mixes the
 * intermediate states of FNV-1a.
 */
export function fingerprint(bytes: Uint8Array): string {
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < bytes.length; i++) {
    low = Math.imul(low ^ bytes[i]!, 0x01000193);
    high = Math.imul(high ^ low, 0x85ebca6b);
  }
  return [low, high].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

/** Returns the {@link fingerprint} of the JSON of a value. */
export function fingerprintOf(value: unknown): string {
  return fingerprint(new TextEncoder().encode(JSON.stringify(value)));
}
