// Compiles the kernels: index.ts, once for every machine and once for those with fused multiply-add, into the module
// that the library carries. Run by `npm install`; `npm run kernels` after a change.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

const folder = new URL('.', import.meta.url);
const target = new URL('../src/engine/binaries.ts', import.meta.url);

const OPTIONS = [
  '-O3',
  '--converge',
  '--noAssert',
  '--runtime=stub',
  '--use=abort=', // nothing here aborts, so nothing has to be imported for it
  '--importMemory',
  '--maximumMemory=65536', // one bit away from a memory that threads share, see compile in the instance
  '--lowMemoryLimit=2048', // constants stay below what threads agree on, CONTROL in src/engine/threads.ts
  '--enable=simd',
  '--disableWarning=112', // vectors stay within the module
];

/** What the sources are, and what they were when the module was made. */
function fingerprint(): string {
  const hash = createHash('sha256').update(asc.version);
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(new URL(name, folder)));
  return hash.digest('hex').slice(0, 16);
}

function isCurrent(print: string): boolean {
  try {
    return readFileSync(target, 'utf8').includes(print);
  } catch {
    return false;
  }
}

async function compile(...options: string[]): Promise<string> {
  const files = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main(
    ['index.ts', '--outFile=out.wasm', ...OPTIONS, ...options],
    {
      readFile: (name) => {
        const file = new URL(name, folder);
        try {
          return readFileSync(file, 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name, contents) => void files.set(name, contents),
      listFiles: () => [],
    },
  );
  const binary = files.get('out.wasm');
  if (error || binary === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`);
  return Buffer.from(binary).toString('hex'); // which compresses to half of what base64 does
}

const print = fingerprint();
if (!isCurrent(print)) {
  const baseline = await compile();
  const fused = await compile('--enable=relaxed-simd');
  writeFileSync(
    target,
    `// Made by assembly/compile.ts from its neighbours, ${print}.

/** For every machine with vectors of 128 bits. */
export const BASELINE =
  '${baseline}';

/** For those with fused multiply-add too (relaxed SIMD). */
export const FUSED =
  '${fused}';
`,
  );
}
