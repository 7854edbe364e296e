/** The storage as the library uses it. */
export interface StoreFiles {
  /** Lists the names of all files; undefined if nobody can tell, as behind a URL. */
  list(): Promise<readonly string[] | undefined>;
  read(name: string, range?: ByteRange): Promise<Uint8Array | undefined>;
  /** Undefined where nobody can tell the size of a file without reading it. */
  size?: ((name: string) => Promise<number>) | undefined;
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Writes a file unless it is there. */
  create(name: string, bytes: Uint8Array): Promise<void>;
  /** Prepares writing: makes the folder, and removes what killed writers left half written. */
  prepare(): Promise<void>;
}

/** Bytes from `start` up to `end`, which is not part of it. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
