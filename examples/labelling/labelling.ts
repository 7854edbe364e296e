import { DistillationError } from 'knowledge-distillation';
import {
  createTeacherStore,
  type TeacherSequence,
  type TeacherStoreOptions,
  type TeacherStoreWriter,
} from 'knowledge-distillation/store';
import { UserError } from '../shared/commandLine.js';
import type { Job } from './jobs.js';

/** Documents, a teacher, and the store of the teacher's outputs. */
export interface Labelling {
  readonly store: TeacherStoreOptions;
  /** A key for each document. */
  readonly keys: readonly string[];
  /** Requests the teacher's outputs for a document. */
  label(document: number): Promise<TeacherSequence>;
}

/**
 * Labels the documents of a job that the store lacks, at most `concurrency` at a time, and flushes
 * them to disk. A job may be interrupted or run twice without an effect on the store's data.
 */
export async function runJob(
  { keys, label }: Labelling,
  store: TeacherStoreWriter,
  { first, end }: Job,
  concurrency: number,
  onDocument: () => void = () => {},
): Promise<void> {
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < end) {
      const document = next++;
      const key = keys[document]!;
      if (store.has(key)) continue;
      await store.append(key, await label(document));
      onDocument();
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, lane));
  } catch (error) {
    next = end; // stops the other lanes
    throw error;
  }
  await store.flush();
}

/** Returns true if the store has all documents of a job. */
export function isDone(
  { keys }: Labelling,
  store: TeacherStoreWriter,
  { first, end }: Job,
): boolean {
  return keys.slice(first, end).every((key) => store.has(key));
}

/** Opens the store of a labelling in `folder`, or creates it. */
export async function openStore(
  { store }: Labelling,
  folder: string,
  writer?: string,
): Promise<TeacherStoreWriter> {
  try {
    return await createTeacherStore(folder, writer === undefined ? store : { ...store, writer });
  } catch (error) {
    if (!(error instanceof DistillationError)) throw error;
    throw new UserError(error.message, { cause: error }); // usually a store of another teacher
  }
}

/** Returns the last message of an interrupted process. */
export function stoppedAt(onDisk: number, documents: number): string {
  return `stopped; ${onDisk} of ${documents} documents are on disk: start again to go on`;
}
