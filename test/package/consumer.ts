import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { exportedStrategies } from '../support/exportedStrategies.js';

export const root: string = join(import.meta.dirname, '../..');

/** The packages of package.json in this folder. */
export const installed: string = join(import.meta.dirname, 'node_modules');

/** The strategies that a bundle holds: each names itself, in whole. */
export function strategiesIn(bundle: string): string[] {
  return exportedStrategies().filter((name) => new RegExp(`\\b${name}\\b`).test(bundle));
}

/** What a command prints; a test that runs one that fails, fails with it. */
export function outputOf({ status, stdout, stderr, error }: SpawnSyncReturns<string>): string {
  expect(status, `${error ?? ''}${stdout}${stderr}`).toBe(0);
  return stdout;
}

/**
 * The programs of ./consumer, with what each needs beside the package, and the compiler's options
 * for that.
 */
export const programs = {
  core: { needs: [], options: {} },
  gradient: { needs: [], options: {} }, // before fast-check is lent
  store: { needs: ['hyparquet', 'hyparquet-writer'], options: {} },
  testing: { needs: ['fast-check'], options: {} },
  teachers: { needs: [], options: {} },
  // Its declarations need those of browsers.
  jax: { needs: ['@jax-js'], options: { skipLibCheck: true } },
  // Its declarations do not stand a check.
  tfjs: { needs: ['@tensorflow'], options: { skipLibCheck: true } },
} as const;

export type Program = keyof typeof programs;

/**
 * How an import is resolved: as Node does, from both kinds of module; as bundlers do; or as
 * compilers did before they read `exports`. And which declarations of the language it meets: the
 * oldest that the package is for, or those of the compiler.
 */
export const resolutions = {
  NodeNext: { module: 'NodeNext', target: 'ES2022', sources: ['mts', 'cts'] },
  Bundler: { module: 'ESNext', moduleResolution: 'Bundler', target: 'ESNext', sources: ['ts'] },
  Node10: { module: 'CommonJS', moduleResolution: 'Node10', target: 'ES2022', sources: ['ts'] },
} as const;

/**
 * An empty project into which the package, packed, was installed without network, as a user would.
 */
export class Consumer {
  readonly #scratch: string = mkdtempSync(join(tmpdir(), 'knowledge-distillation-'));
  readonly folder: string = join(this.#scratch, 'consumer');
  readonly tarball: string;
  /** What the package holds. */
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

  /** Gives the consumer a program of ./consumer as it is. */
  add(name: string): void {
    this.#copy(name, name);
  }

  /** Gives the consumer packages that are installed here, or else at the root. */
  lend(...names: readonly string[]): void {
    for (const name of names) {
      const here = join(installed, name);
      const target = existsSync(here) ? here : join(root, 'node_modules', name);
      symlinkSync(target, join(this.folder, 'node_modules', name));
    }
  }

  /**
   * Type-checks a program, and compiles it: as both kinds of module, where they are resolved as
   * Node does.
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
