// The entry point for stores together with the main one: writes, verifies and reads a store in
// memory. See ../tarball.check.ts.
import {
  DistillationError,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
} from 'knowledge-distillation';
import {
  createTeacherStore,
  openTeacherStore,
  type TeacherBatch,
  type TeacherStorage,
} from 'knowledge-distillation/store';

async function main(): Promise<void> {
  const files = new Map<string, Uint8Array>();
  const storage: TeacherStorage = {
    list: async () => [...files.keys()],
    read: async (name, range) => files.get(name)?.slice(range?.start, range?.end),
    write: async (name, bytes) => void files.set(name, bytes),
  };
  const writer = await createTeacherStore(storage, { columns: 3, k: 2, teacher: 'big' });
  const targets = SparseTargets.topK(Matrix.fromRows([[1, 2, 3]]), 2);
  const added: boolean = await writer.append('a', { prompt: [0], tokens: [2], targets });
  if (!added) throw new Error('the key was there');
  try {
    await writer.append('b', { prompt: [0], tokens: [3], targets });
    throw new Error('a token out of range was taken');
  } catch (error) {
    if (!(error instanceof DistillationError)) throw error;
  }
  await writer.close();

  const store = await openTeacherStore(storage);
  await store.verify();
  const batches: TeacherBatch[] = [];
  for await (const batch of store.batches({ rows: 8 })) batches.push(batch);
  const [batch] = batches;
  const strategy = new ResponseDistillationStrategy({ temperature: 1 });
  const loss = strategy.computeLoss(Matrix.zeros(1, 3), batch!.targets!, batch!.labels);
  if (!(loss > 0)) throw new Error(`the loss is ${loss}`);
}

void main();
