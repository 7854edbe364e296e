import { DistillationError } from 'knowledge-distillation';
import {
  createTeacherStore,
  type TeacherSequence,
  type TeacherStoreOptions,
  type TeacherStoreWriter,
} from 'knowledge-distillation/store';
import { UserError } from '../shared/commandLine.js';
import type { Job } from './jobs.js';

/** Documents, a teacher, and the store that keeps what the teacher says. */
export interface Labelling {
  readonly store: TeacherStoreOptions;
  /** A key for each document. */
  readonly keys: readonly string[];
  /** Asks the teacher about a document. */
  label(document: number): Promise<TeacherSequence>;
}

/**
 * Labels the documents of a job that the store does not have, at most `concurrency` at a time. They
 * are on disk when this is done: a job that ends halfway or runs twice changes nothing.
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
    next = end; // no lane asks about another document
    throw error;
  }
  await store.flush();
}

/** Whether the store has all documents of a job. */
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
    throw new UserError(error.message, { cause: error }); // a store of another teacher, most often
  }
}

/** What a process says that was asked to end. */
export function stoppedAt(onDisk: number, documents: number): string {
  return `stopped; ${onDisk} of ${documents} documents are on disk: start again to go on`;
}
