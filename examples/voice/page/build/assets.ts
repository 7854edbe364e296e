import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Plugin } from 'vite';
import { teacherFile } from '../../teacher.js';
import { type Clip, recordClips } from './clips.js';
import { summarizeResults } from './summary.js';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** The teacher's runtime, which the bundler finds in onnxruntime-web by itself. */
const RUNTIME = createRequire(import.meta.url).resolve(
  'onnxruntime-web/ort-wasm-simd-threaded.wasm',
);

/** The module from which the page imports {@link assets}; assets.d.ts has its type. */
const MODULE = 'virtual:assets';

/** Types of files by their ending, for a page that is served for development. */
const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript',
  wav: 'audio/wav',
  bin: 'application/octet-stream',
  onnx: 'application/octet-stream',
};

/**
 * Makes the files that are not in the repository, or not as the page needs them: the clips, the
 * code of the AudioWorklet as one file, the student's weights, the teacher, and the measured
 * results. The page learns the addresses and sizes of files.
 */
export function assets(): Plugin {
  let clips: Promise<readonly Clip[]> | undefined;
  return {
    name: 'assets',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : undefined),
    async load(id) {
      if (id !== `\0${MODULE}`) return undefined;
      /** Returns an expression for the address of a file. */
      const emit = (name: string, source: Uint8Array): string => {
        if (this.environment.mode === 'build') {
          return `import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: 'asset', name, source })}`;
        }
        const [, ending] = name.split('.');
        return `'data:${TYPES[ending!]};base64,${Buffer.from(source).toString('base64')}'`;
      };
      const asset = (name: string, source: Uint8Array): string =>
        `{ url: ${emit(name, source)}, bytes: ${source.length} }`;
      clips ??= recordClips();
      const recorded = (await clips).map(
        ({ title, file, teacher }, index) =>
          `{ title: ${JSON.stringify(title)}, url: ${emit(`clip-${index}.wav`, file)}, teacher: [${teacher}] }`,
      );
      return [
        `export const clips = [${recorded}];`,
        `export const weights = ${asset('student.bin', readFileSync(pathOf('../../student.bin')))};`,
        `export const worklet = ${asset('worklet.js', await bundle('../sound/worklet.ts'))};`,
        `export const teacher = ${asset('teacher.onnx', readFileSync(teacherFile()))};`,
        `export const summary = ${JSON.stringify(summarizeResults())};`,
        `export const runtimeBytes = ${statSync(RUNTIME).size};`,
      ].join('\n');
    },
  };
}

/** Bundles a module into one file: an AudioWorklet has no bundler's loader around it. */
async function bundle(file: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [pathOf(file)],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]!.contents;
}
