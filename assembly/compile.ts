// Compiles the kernels: each binary once for every machine with vectors, and once for machines with fused
// multiply-add, into the modules that the library carries. Run by `npm install`; `npm run kernels` after a change.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { CONTROL, REGION, SECTION } from '../src/engine/layout.js';

const folder = new URL('.', import.meta.url);
const target = new URL('../src/engine/binaries/', import.meta.url);

/** The binaries in the order of their regions in the memory, and what the library says about each. */
const BINARIES = {
  response: 'The response loss, labels, tails of sparse teachers, terms in JavaScript.',
  divergences: 'All other losses of distributions.',
  numbers: 'Losses of rows of numbers.',
  products: 'Products of matrices.',
  probe: 'Compiles where all others do.',
};

const OPTIONS = [
  '-O3',
  '--converge',
  '--noAssert',
  '--runtime=stub',
  '--use=abort=', // nothing here aborts, so nothing has to be imported for it
  '--importMemory',
  '--zeroFilledMemory', // an instance must not clear what another one reads
  '--maximumMemory=65536', // one bit away from a memory that threads share, see src/engine/compile.ts
  '--enable=simd',
  '--disableWarning=112', // vectors stay within the module
];

/** The sources, by their paths from this folder. */
const sources = [
  ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  ),
  '../src/engine/layout.ts',
].sort();

/** What the sources are, and what they were when the modules were made. */
function fingerprint(): string {
  const hash = createHash('sha256').update(asc.version);
  for (const name of sources) hash.update(readFileSync(new URL(name, folder)));
  return hash.digest('hex').slice(0, 16);
}

function isCurrent(file: URL, print: string): boolean {
  try {
    return readFileSync(file, 'utf8').includes(print);
  } catch {
    return false;
  }
}

/** Compiles the entry file of a binary whose constants stand in the region of this number. */
async function compile(name: string, region: number, ...options: string[]): Promise<string> {
  const files = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main(
    [
      `assembly/${name}.ts`,
      '--outFile=out.wasm',
      `--memoryBase=${region * REGION}`,
      `--lowMemoryLimit=${(region + 1) * REGION}`,
      ...OPTIONS,
      ...options,
    ],
    {
      readFile: (path) => {
        try {
          return readFileSync(new URL(`../${path}`, folder), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (path, contents) => void files.set(path, contents),
      listFiles: () => [],
    },
  );
  const binary = files.get('out.wasm');
  if (error || binary === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`);
  return Buffer.from(binary).toString('hex'); // which compresses to half of what base64 does
}

/** A custom section that says which binary and kernel a module is, for modules that are passed in compiled. */
function label(name: string, kernel: string): string {
  const text = (value: string) => [value.length, ...Buffer.from(value)];
  const body = [...text(SECTION), ...Buffer.from(`${name} ${kernel}`)];
  return Buffer.from([0, body.length, ...body]).toString('hex');
}

const names = Object.keys(BINARIES);
if ((names.length + 1) * REGION > CONTROL) throw new Error('CONTROL must lie behind the regions');
const print = fingerprint();
mkdirSync(target, { recursive: true });
for (const [index, [name, what]] of Object.entries(BINARIES).entries()) {
  const file = new URL(`${name}.ts`, target);
  if (isCurrent(file, print)) continue;
  const simd = (await compile(name, index + 1)) + label(name, 'simd');
  const fma = (await compile(name, index + 1, '--enable=relaxed-simd')) + label(name, 'fma');
  writeFileSync(
    file,
    `// Made by assembly/compile.ts from its neighbours, ${print}.

import type { Binary } from '../compile.js';

/** ${what} */
export const ${name.toUpperCase()}: Binary = {
  name: '${name}',
  simd: '${simd}',
  fma: '${fma}',
};
`,
  );
}
