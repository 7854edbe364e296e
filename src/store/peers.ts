import { refuse } from '../core/errors.js';

type Reader = typeof import('hyparquet');
type Writer = typeof import('hyparquet-writer');
type Compressors = typeof import('hyparquet-compressors').compressors;

// The packages are imported only when a store needs them, because they are optional and ESM only.

/** Loads the package that reads Parquet. */
export function parquetReader(operation: string): Promise<Reader> {
  return load(operation, 'hyparquet', () => import('hyparquet'));
}

/** Loads the package that writes Parquet. */
export function parquetWriter(operation: string): Promise<Writer> {
  return load(operation, 'hyparquet-writer', () => import('hyparquet-writer'));
}

/** Loads the decompressors that shards of other programs may need. */
export async function decompressors(operation: string): Promise<Compressors> {
  const name = 'hyparquet-compressors';
  return (await load(operation, name, () => import('hyparquet-compressors'))).compressors;
}

async function load<M>(operation: string, name: string, start: () => Promise<M>): Promise<M> {
  try {
    return await start();
  } catch (error) {
    const received = error instanceof Error ? error.message : String(error);
    const hint = `npm install ${name}`;
    refuse('UNAVAILABLE', operation, name, 'be installed', received, { hint });
  }
}
