// Compiles the kernels to the WebAssembly binaries of the library. Each binary serves machines
// with and without fused multiply-add. `npm ci`, `npm test` and `npm run build` run this file.

import './relaxedSimd.js';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { type Binary, bytesOf, compileModule, marksIn } from '../src/engine/compile.js';
import { CONTROL, REGION } from '../src/engine/layout.js';

const folder = new URL('.', import.meta.url);
const target = new URL('../src/engine/binaries/', import.meta.url);

/**
 * The binaries, in the order of their regions in the memory, with their docstrings.
 */
const BINARIES = {
  response: 'The response loss, labels, tails of sparse teachers, terms in JavaScript.',
  divergences: 'All other losses of distributions.',
  numbers: 'Losses of rows of numbers.',
  products: 'Products of matrices.',
  probe: 'Compiles in an engine if all other binaries do.',
};

const OPTIONS = [
  '-O3s',
  '--converge',
  '--noAssert',
  '--runtime=stub',
  '--use=abort=', // no kernel aborts: without an import of `abort`
  '--importMemory',
  '--zeroFilledMemory', // an instance must not clear memory that another instance uses
  // Makes the module of a shared memory differ in one bit: engine/compile.ts.
  '--maximumMemory=65536',
  '--enable=simd',
  '--enable=relaxed-simd', // for marks, see assembly/shared/lanes.ts
  '--disableWarning=112', // no vector crosses the boundary of the module
  '--disableWarning=235', // generic functions are exported by their instances
];

/** Paths of the sources, relative to this folder. */
const sources = [
  ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  ),
  '../src/engine/layout.ts',
].sort();

/** Returns a hash of the sources and of the compiler's version. */
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

/**
 * Returns source text with the instances `name32` and `name64` of each generic function of an entry
 * file.
 */
function instances(source: string): string {
  const generic = source.matchAll(/^export function (\w+)<T>\((.*?)\): (\w+) /gm);
  return [...generic]
    .flatMap(([, name, parameters = '', result]) => {
      const given = parameters.replaceAll(/: \w+/g, '');
      return [32, 64].map(
        (bits) =>
          `\nexport function ${name}${bits}(${parameters}): ${result} { return ${name}<f${bits}>(${given}); }`,
      );
    })
    .join('');
}

/** Compiles the entry file of a binary. Its constants go to the memory region with this number. */
async function compile(name: string, region: number): Promise<string> {
  const entry = `assembly/${name}.ts`;
  const files = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main(
    [
      entry,
      '--outFile=out.wasm',
      '--textFile=out.wat',
      `--memoryBase=${region * REGION}`,
      `--lowMemoryLimit=${(region + 1) * REGION}`,
      ...OPTIONS,
    ],
    {
      readFile: (path) => {
        try {
          const source = readFileSync(new URL(`../${path}`, folder), 'utf8');
          return path === entry ? source + instances(source) : source;
        } catch {
          return null;
        }
      },
      writeFile: (path, contents) => void files.set(path, contents),
      listFiles: () => [],
    },
  );
  const binary = files.get('out.wasm');
  if (error || !(binary instanceof Uint8Array)) {
    throw new Error(`${error?.message}\n${stderr.toString()}`);
  }
  const text = Buffer.from(binary).toString('hex'); // compresses to half the size of base64
  check({ name, text }, binary, String(files.get('out.wat')));
  return text;
}

/** Throws unless all bytes that look like a mark are one, and both kernels compile. */
function check(binary: Binary, bytes: Uint8Array, listing: string): void {
  const { name } = binary;
  const found = marksIn(bytes).length;
  const marks = listing.match(/\.relaxed_(min|max)\b/g)?.length ?? 0;
  if (found !== marks) throw new Error(`${name}: ${found} places look like marks, ${marks} are`);
  for (const kernel of ['simd', 'fma'] as const) {
    try {
      compileModule(bytesOf(binary, kernel, false));
    } catch (error) {
      // If two sums share a product, the compiler computes the product once, and the mark of its
      // addition is lost. Factors in another order prevent that.
      throw new Error(`${name}: no module for ${kernel}; does a madd share its product?`, {
        cause: error,
      });
    }
  }
}

const names = Object.keys(BINARIES);
if ((names.length + 1) * REGION > CONTROL) throw new Error('CONTROL must lie behind the regions');
const print = fingerprint();
mkdirSync(target, { recursive: true });
for (const [index, [name, what]] of Object.entries(BINARIES).entries()) {
  const file = new URL(`${name}.ts`, target);
  if (isCurrent(file, print)) continue;
  const text = await compile(name, index + 1);
  writeFileSync(
    file,
    `// Made by assembly/compile.ts from its neighbours, ${print}.

import type { Binary } from '../compile.js';

/** ${what} */
export const ${name.toUpperCase()}: Binary = {
  name: '${name}',
  text: '${text}',
};
`,
  );
}
