import type { StoredStudent } from '../stored.js';

/** The data of the page, as JSON. */
export interface PageData {
  readonly titles: readonly string[];
  readonly texts: readonly string[];
  readonly seen: readonly number[];
  readonly unseen: readonly number[];
  /** The teacher's first ten pages for each unseen page. */
  readonly ideal: readonly (readonly number[])[];
  readonly student: PackedStudent;
}

/** A stored student with its bytes in base64. */
interface PackedStudent extends Pick<StoredStudent, 'words' | 'width'> {
  readonly bytes: string;
  readonly scales: string;
}

export function pack({ words, width, bytes, scales }: StoredStudent): PackedStudent {
  return { words, width, bytes: toText(bytes), scales: toText(scales) };
}

export function unpack({ words, width, bytes, scales }: PackedStudent): StoredStudent {
  return {
    words,
    width,
    bytes: new Int8Array(toBuffer(bytes)),
    scales: new Float32Array(toBuffer(scales)),
  };
}

function toText({ buffer }: Int8Array | Float32Array): string {
  return btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(''));
}

function toBuffer(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}
