/** Collects bytes. */
export class Bytes {
  #data = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(byte: number): void {
    if (this.#length === this.#data.length) this.#grow(1);
    this.#data[this.#length++] = byte;
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#data.length) this.#grow(bytes.length);
    this.#data.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes an unsigned number of 32 bits, 7 bits a byte. */
  varint(value: number): void {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.push((rest & 0x7f) | 0x80);
    this.push(rest);
  }

  /** Writes a signed number of 32 bits; small ones of either sign are short. */
  zigzag(value: number): void {
    this.varint((value << 1) ^ (value >> 31));
  }

  take(): Uint8Array {
    return this.#data.subarray(0, this.#length);
  }

  #grow(more: number): void {
    const data = new Uint8Array(Math.max(2 * this.#data.length, this.#length + more));
    data.set(this.#data.subarray(0, this.#length));
    this.#data = data;
  }
}

/** Reads bytes one after the other; past the end, it throws. */
export class Cursor {
  readonly data: Uint8Array;
  at: number;

  constructor(data: Uint8Array, at = 0) {
    this.data = data;
    this.at = at;
  }

  next(): number {
    const byte = this.data[this.at++];
    if (byte === undefined) throw new Error('the data end too early');
    return byte;
  }

  take(count: number): Uint8Array {
    const end = this.at + count;
    if (!(count >= 0 && end <= this.data.length)) throw new Error('the data end too early');
    const bytes = this.data.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.next();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new Error('a number is too long');
  }

  zigzag(): number {
    const value = this.varint();
    return (value >>> 1) ^ -(value & 1);
  }
}
