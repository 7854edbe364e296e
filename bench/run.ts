import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Table } from './report.js';

/** A run of the bench, with everything that may differ between two runs. */
export interface Run {
  readonly date: string;
  readonly commit: string;
  /** True if the working tree differed from the commit. */
  readonly dirty: boolean;
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Versions of PyTorch and its matrix library; empty if PyTorch is not installed. */
  readonly pytorch: readonly string[];
  readonly rounds: number;
  readonly tables: readonly Table[];
}

/** Describes the machine and the commit on which the bench runs. */
export function machine(pytorch: readonly string[]): Omit<Run, 'rounds' | 'tables'> {
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD'),
    dirty: git('status', '--porcelain') !== '',
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: cpus().length,
    node: process.versions.node,
    pytorch,
  };
}

function git(...parameters: string[]): string {
  return spawnSync('git', parameters, { encoding: 'utf8' }).stdout?.trim() ?? '';
}

export function describe({ cpu, cores, node, pytorch, rounds }: Run): string {
  const parts = [cpu, `${cores} cores`, `Node ${node} with relaxed SIMD`, ...pytorch];
  return `${parts.join(', ')}; medians of ${rounds} rounds in turn.`;
}

export function writeRun(file: string | URL, run: Run): void {
  writeFileSync(file, `${JSON.stringify(run, undefined, 1)}\n`);
}

export function readRun(file: string): Run {
  return JSON.parse(readFileSync(file, 'utf8'));
}
