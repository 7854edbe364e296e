import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './repository.js';

/** Download size of one export, in bytes: bundled alone, minified, compressed by Brotli. */
export async function sizeOf(name: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${name} } from './src/index.js';`, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  return brotliCompressSync(outputFiles[0]!.contents).length;
}
