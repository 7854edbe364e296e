/**
 * Stores of teacher outputs: written once, read in batches by every training run.
 *
 * @module knowledge-distillation/store
 */

export type { BatchOptions, BatchPosition, TeacherBatch } from './batch.js';
export type {
  DenseColumns,
  DenseDescription,
  StorePrecision,
  TeacherStoreDescription,
  TeacherStoreOptions,
} from './description.js';
export type { BatchPart } from './order.js';
export type { TeacherSequence } from './sequence.js';
export type { TeacherStorage } from './storage.js';
export { openTeacherStore, type TeacherStore, type TeacherStoreSize } from './store.js';
export { createTeacherStore, type TeacherStoreWriter } from './writer.js';
