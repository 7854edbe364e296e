import type { Catalog } from './catalog.js';
import type { TeacherStoreDescription } from './description.js';
import type { StoreFiles } from './files.js';

/** A store as `batches` reads it. */
export interface OpenStore {
  readonly files: StoreFiles;
  readonly description: TeacherStoreDescription;
  readonly catalog: Catalog;
}
