// Compiles the kernels into the modules that the library carries, each binary once for machines
// with and without fused multiply-add. `npm ci`, `npm test` and `npm run build` run it.

import './relaxedSimd.js';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { type Binary, bytesOf, compileModule, marksIn } from '../src/engine/compile.js';
import { CONTROL, REGION } from '../src/engine/layout.js';

const folder = new URL('.', import.meta.url);
const target = new URL('../src/engine/binaries/', import.meta.url);

/**
 * The binaries in the order of their regions in the memory, and what the library says about each.
 */
const BINARIES = {
  response: 'The response loss, labels, tails of sparse teachers, terms in JavaScript.',
  divergences: 'All other losses of distributions.',
  numbers: 'Losses of rows of numbers.',
  products: 'Products of matrices.',
  probe: 'Compiles where all others do.',
};

const OPTIONS = [
  '-O3s',
  '--converge',
  '--noAssert',
  '--runtime=stub',
  '--use=abort=', // nothing here aborts, so nothing has to be imported for it
  '--importMemory',
  '--zeroFilledMemory', // an instance must not clear what another one reads
  '--maximumMemory=65536', // one bit away from a memory that threads share, see src/engine/compile.ts
  '--enable=simd',
  '--enable=relaxed-simd', // for marks, see assembly/shared/lanes.ts
  '--disableWarning=112', // vectors stay within the module
  '--disableWarning=235', // of generic functions, their instances are exported
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

/**
 * The functions of an entry file that take a type of numbers, for each of the types: `name32` and
 * `name64`.
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

/** Compiles the entry file of a binary whose constants stand in the region of this number. */
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
  const text = Buffer.from(binary).toString('hex'); // which compresses to half of what base64 does
  check({ name, text }, binary, String(files.get('out.wat')));
  return text;
}

/** Throws unless every place that looks like a mark is one, and the kernels are modules. */
function check(binary: Binary, bytes: Uint8Array, listing: string): void {
  const { name } = binary;
  const found = marksIn(bytes).length;
  const marks = listing.match(/\.relaxed_(min|max)\b/g)?.length ?? 0;
  if (found !== marks) throw new Error(`${name}: ${found} places look like marks, ${marks} are`);
  for (const kernel of ['simd', 'fma'] as const) {
    try {
      compileModule(bytesOf(binary, kernel, false));
    } catch (error) {
      // The compiler computes a product once that stands in two sums: in other orders, it does not
      // see that they are one.
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
