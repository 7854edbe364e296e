import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Matrix, ResponseDistillationStrategy, SparseTargets } from 'knowledge-distillation';
import {
  createTeacherStore,
  openTeacherStore,
  type StorePrecision,
} from 'knowledge-distillation/store';
import { normals } from './problem.js';
import type { Cell, Table } from './report.js';
import { median } from './statistics.js';

// Measures how fast a teacher store with 64 of 32,000 classes is read, and how long the loss takes
// that learns from it.

const COLUMNS = 32_000;
const KEPT = 64;
const ROWS = 32_768;

/** Rows of a text. */
const TEXT = 256;

/** Texts with different targets; later texts repeat these targets. */
const TEXTS = 8;

/** Rows of a batch. */
const BATCH = 1024;

const KERNEL = 'response loss and gradient';

/**
 * Makes the teacher's targets for texts: a softmax of noisy logits at indices spread over all
 * classes.
 */
export function textTargets(): SparseTargets[] {
  const shape = { rows: TEXT, columns: COLUMNS, dtype: 'float32' } as const;
  return Array.from({ length: TEXTS }, (_, text) => {
    const logits = new Matrix(Float32Array.from(normals(shape, 3, text)), TEXT, COLUMNS);
    return SparseTargets.topK(logits, KEPT);
  });
}

/** Writes a store of texts. */
export async function writeStore(
  folder: string,
  precision: StorePrecision,
  rows: number,
  distinct: readonly SparseTargets[],
): Promise<void> {
  const options = { columns: COLUMNS, k: KEPT, teacher: 'noise', precision };
  const store = await createTeacherStore(folder, options);
  for (let text = 0; text < rows / TEXT; text++) {
    const tokens = Int32Array.from(
      { length: TEXT },
      (_, i) => Math.imul(text * TEXT + i + 1, 0x9e3779b1) >>> 17,
    ).map((token) => token % COLUMNS);
    const targets = distinct[text % TEXTS]!;
    await store.append(`text ${text}`, { targets, tokens, prompt: [0] });
  }
  await store.close();
}

/** Returns the milliseconds that a call takes. */
async function timeOf(call: () => unknown): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/** Measures the requests, bytes and milliseconds from a URL to the first batch. */
async function startFromUrl(folder: string): Promise<[number, number, number]> {
  let [requests, bytes] = [0, 0];
  const server = createServer((request, response) => {
    const file = join(folder, decodeURIComponent(request.url!));
    const size = statSync(file).size;
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const [start, end] = range ? [Number(range[1]), Number(range[2])] : [0, size - 1];
    requests++;
    bytes += end - start + 1;
    response.writeHead(range ? 206 : 200, { 'Content-Length': end - start + 1 });
    createReadStream(file, { start, end }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  let time = 0;
  const start = performance.now();
  const store = await openTeacherStore(`http://127.0.0.1:${port}/`);
  for await (const _ of store.batches({ rows: BATCH, seed: 1 })) {
    time = performance.now() - start;
    break; // waits for the batches that are read ahead; their bytes count, too
  }
  server.closeAllConnections();
  server.close();
  return [requests, bytes, time];
}

/**
 * Measures microseconds per row, taking turns in one process; bytes per row; and the start from a
 * URL.
 */
export async function storeTable(rounds: number): Promise<Table> {
  const folder = mkdtempSync(join(tmpdir(), 'knowledge-distillation-bench-'));
  try {
    const targets = textTargets();
    const stores: { name: StorePrecision; times: number[]; folder: string; bytes: number }[] = [];
    for (const name of ['float32', 'float16'] as const) {
      const own = join(folder, name);
      await writeStore(own, name, ROWS, targets);
      const { size } = await openTeacherStore(own);
      stores.push({ name, times: [], folder: own, bytes: size.bytes / size.rows });
    }
    const strategy = new ResponseDistillationStrategy({ temperature: 1 });
    const student = Matrix.zeros(TEXT, COLUMNS);
    student.data.set(normals({ rows: TEXT, columns: COLUMNS, dtype: 'float32' }, 3, 0.5));
    const gradient = student.zerosLike();
    const kernel: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      for (const store of stores) {
        const opened = await openTeacherStore(store.folder);
        const time = await timeOf(async () => {
          for await (const _ of opened.batches({ rows: BATCH, seed: round }));
        });
        store.times.push(time / ROWS);
      }
      const call = () =>
        strategy.computeLossAndGradient(student, targets[0]!, undefined, { gradient });
      kernel.push((await timeOf(call)) / TEXT);
    }
    // The first round is the warm-up.
    for (const times of [kernel, ...stores.map((store) => store.times)]) times.shift();
    const plain = (value: number): Cell => ({ milliseconds: value }); // a time without a ratio
    const lines = [];
    for (const { name, times, bytes, folder } of stores) {
      const [requests, start, time] = await startFromUrl(folder);
      const ratio = median(times.map((own, round) => kernel[round]! / own));
      const speed: Cell = { milliseconds: median(times), ratio };
      const cells = [speed, ...[bytes, requests, start / 1e6, time].map(plain)];
      lines.push({ name: `batches, ${name}`, cells });
    }
    const none: Cell[] = [null, null, null, null];
    lines.push({ name: KERNEL, cells: [plain(median(kernel)), ...none] });
    const heads = ['bytes a row', 'URL: requests', 'URL: MB', 'URL: ms to the first batch'];
    return {
      name: `teacher store, top ${KEPT} of ${COLUMNS}`,
      columns: [
        { name: 'µs a row', unit: 1e-3 },
        ...heads.map((head) => ({ name: head, unit: 1 })),
      ],
      lines,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
