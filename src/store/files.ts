/** The storage of a store, in the form that the library uses. */
export interface StoreFiles {
  /** Lists the names of all files; undefined if they cannot be listed, as behind a URL. */
  list(): Promise<readonly string[] | undefined>;
  read(name: string, range?: ByteRange): Promise<Uint8Array | undefined>;
  /** Undefined if the size of a file is only known after reading it. */
  size?: ((name: string) => Promise<number>) | undefined;
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Writes a file unless a file of this name exists. */
  create(name: string, bytes: Uint8Array): Promise<void>;
  /** Prepares for writing: makes the folder, and removes unfinished files of killed writers. */
  prepare(): Promise<void>;
}

/** The bytes from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
