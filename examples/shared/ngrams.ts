import type { Features } from './training.js';

/**
 * Counts the character n-grams of up to `longest` characters, hashed into `places` features, and
 * scales the counts to length 1.
 */
export function countNgrams(text: string, longest: number, places: number): Features {
  const characters = [...text];
  const counts = new Map<number, number>();
  characters.forEach((_, position) => {
    for (let length = 1; length <= longest; length++) {
      const place = hash(characters.slice(position, position + length).join('')) % places;
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
  });
  const length = Math.hypot(...counts.values());
  return { indices: [...counts.keys()], values: [...counts.values()].map((x) => x / length) };
}

/** FNV-1a hash. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return state;
}
