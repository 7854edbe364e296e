import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { exportedStrategies } from '../support/exportedStrategies.js';

export const root: string = join(import.meta.dirname, '../..');

/** The packages of package.json in this folder. */
export const installed: string = join(import.meta.dirname, 'node_modules');

/** Returns the names of the strategies that a bundle holds; each name occurs as a whole string. */
export function strategiesIn(bundle: string): string[] {
  return exportedStrategies().filter((name) => new RegExp(`\\b${name}\\b`).test(bundle));
}

/** Returns the output of a command. A command that fails makes its test fail. */
export function outputOf({ status, stdout, stderr, error }: SpawnSyncReturns<string>): string {
  expect(status, `${error ?? ''}${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** The programs of ./consumer, each with the packages and the compiler options that it needs. */
export const programs = {
  core: { needs: [], options: {} },
  gradient: { needs: [], options: {} }, // before fast-check is added
  store: { needs: ['hyparquet', 'hyparquet-writer'], options: {} },
  testing: { needs: ['fast-check'], options: {} },
  teachers: { needs: [], options: {} },
  // Its declarations need the declarations of browsers.
  jax: { needs: ['@jax-js'], options: { skipLibCheck: true } },
  // Its declarations fail a type check.
  tfjs: { needs: ['@tensorflow'], options: { skipLibCheck: true } },
} as const;

export type Program = keyof typeof programs;

/**
 * Settings of the compiler. Imports are resolved as by Node, from both kinds of module; as by
 * bundlers; or as by compilers that do not read `exports`. The language's declarations are the
 * oldest that the package supports, or the compiler's own.
 */
export const resolutions = {
  NodeNext: { module: 'NodeNext', target: 'ES2022', sources: ['mts', 'cts'] },
  Bundler: { module: 'ESNext', moduleResolution: 'Bundler', target: 'ESNext', sources: ['ts'] },
  Node10: { module: 'CommonJS', moduleResolution: 'Node10', target: 'ES2022', sources: ['ts'] },
} as const;

/** An empty project with the packed package, installed without network. */
export class Consumer {
  readonly #scratch: string = mkdtempSync(join(tmpdir(), 'knowledge-distillation-'));
  readonly folder: string = join(this.#scratch, 'consumer');
  readonly tarball: string;
  /** Returns the files of the package. */
  readonly files: readonly string[];

  constructor() {
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', this.#scratch];
    const [packed] = JSON.parse(outputOf(spawnSync('npm', pack, { cwd: root, encoding: 'utf8' })));
    this.tarball = join(this.#scratch, packed.filename);
    this.files = packed.files.map(({ path }: { path: string }) => path);
    this.#copy('package.json', 'package.json');
    this.run('npm', 'install', '--offline', '--no-save', this.tarball);
  }

  #copy(name: string, as: string): void {
    cpSync(join(import.meta.dirname, 'consumer', name), join(this.folder, as));
  }

  /** Copies a program of ./consumer into the project. */
  add(name: string): void {
    this.#copy(name, name);
  }

  /** Adds packages that are installed in this folder or in the root. */
  lend(...names: readonly string[]): void {
    for (const name of names) {
      const here = join(installed, name);
      const target = existsSync(here) ? here : join(root, 'node_modules', name);
      symlinkSync(target, join(this.folder, 'node_modules', name));
    }
  }

  /**
   * Type-checks a program and compiles it: as both kinds of module if imports are resolved as by
   * Node.
   */
  compile(
    program: Program,
    resolution: keyof typeof resolutions,
    compiler: readonly string[] = ['tsc'],
  ): void {
    const { sources, target, ...modules } = resolutions[resolution];
    const files = sources.map((kind) => `${program}.${kind}`);
    for (const file of files) this.#copy(`${program}.ts`, file);
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      target,
      lib: [target],
      types: [],
      rootDir: '.',
      ...modules,
      // The declarations of fast-check do not resolve there.
      ...(resolution === 'Node10' ? { esModuleInterop: true, skipLibCheck: true } : {}),
      ...programs[program].options,
    };
    const config = join(this.folder, `tsconfig.${program}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions, files }));
    const [command = '', ...args] = compiler;
    this.run(command, ...args, '--project', config);
  }

  run(command: string, ...args: string[]): string {
    return outputOf(spawnSync(command, args, { cwd: this.folder, encoding: 'utf8' }));
  }

  remove(): void {
    rmSync(this.#scratch, { recursive: true });
  }
}
