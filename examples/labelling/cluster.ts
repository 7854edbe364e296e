import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTeacherStore } from 'knowledge-distillation/store';
import { TeacherClient } from './client.js';
import { compareContents, contentsOf } from './contents.js';
import { makeCorpus, readBook } from './corpus.js';
import { exportDocuments, importLabels } from './exchange.js';
import { labelInProcess } from './inProcess.js';
import { freePort, Service } from './processes.js';
import { openTextProject } from './text.js';

/**
 * Fills a store by cluster.py: `export FILE`, `import LABELS STORE`, or `check`, which does
 * everything on this machine.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { documents: { type: 'string', default: '100000' } },
});
const [command = 'check', source = '', target = ''] = positionals;
const documents = Number(values.documents);
const { training } = await openTextProject({ quick: false, seed: 1, teacher: 'local', documents });

if (command === 'export') write(source);
else if (command === 'import') await read(source, target);
else if (command === 'check') await check();
else throw new RangeError(`the command must be export, import or check, got "${command}"`);

function write(file: string): void {
  const chosen = makeCorpus(readBook()).training.slice(0, documents);
  exportDocuments(chosen, file);
  console.log(`${chosen.length} documents in ${file}`);
}

async function read(labels: string, folder: string): Promise<void> {
  const store = await createTeacherStore(folder, training.store);
  const added = await importLabels(labels, store, training.store.columns!);
  await store.close();
  console.log(`${added} documents added to ${folder}`);
}

/** Labels with two workers of Dask, and compares the store with the store of this process. */
async function check(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'labelling-'));
  const port = await freePort();
  const faults = ['--too-many', '0.02', '--broken', '0.02', '--dropped', '0.02'];
  const server = Service.script('teacher', 'serve.ts', ['--port', String(port), ...faults]);
  try {
    const teacher = `http://127.0.0.1:${port}`;
    await answering(teacher);
    const [file, labels] = [join(folder, 'documents.jsonl'), join(folder, 'labels')];
    write(file);
    const script = fileURLToPath(new URL('cluster.py', import.meta.url));
    const args = [script, file, labels, '--teacher', teacher, '--workers', '2'];
    // Dask is installed for the Python of the system.
    const { status } = spawnSync('/usr/bin/python3', args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`cluster.py ended with ${status}`);
    await read(labels, join(folder, 'cluster'));
    await labelInProcess('labelling in process', training, join(folder, 'in-process'), {
      concurrency: 4,
      size: 32,
    });
    const [expected, actual] = [
      await contentsOf(join(folder, 'in-process')),
      await contentsOf(join(folder, 'cluster')),
    ];
    const { lost, added, changed } = compareContents(expected, actual);
    console.log(`${actual.size} documents; ${lost} lost, ${added} added, ${changed} changed`);
    if (lost + added + changed > 0) process.exitCode = 1;
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true });
  }
}

/** Waits for the first answer of a server. */
async function answering(url: string): Promise<void> {
  const client = new TeacherClient({ url, attempts: 30, wait: () => setTimeout(1000) });
  await client.model();
}
