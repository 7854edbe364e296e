// The files of the package: compiled modules for an engine that compiles none itself, and a worker.

import { equal } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const pathOf = (name) => fileURLToPath(import.meta.resolve(`knowledge-distillation/${name}`));
const modules = ['response', 'divergences', 'numbers', 'products'].map(
  (name) => new WebAssembly.Module(readFileSync(pathOf(`wasm/${name}.simd.wasm`))),
);
const { Module } = WebAssembly;
WebAssembly.Module = class {
  static customSections = Module.customSections;
  constructor() {
    throw new Error('a policy forbids it');
  }
};

const { kernelInfo, Matrix, MatrixArena, ResponseDistillationStrategy, selectKernel } =
  await import('knowledge-distillation');
const student = Matrix.fromRows([Array.from({ length: 40 }, (_, j) => Math.sin(j))]);
const teacher = Matrix.fromRows([Array.from({ length: 40 }, (_, j) => Math.cos(j))]);
const strategy = new ResponseDistillationStrategy();
const byJavaScript = strategy.computeLoss(student, teacher);
equal(kernelInfo().kernel, 'scalar');
selectKernel(modules);
equal(kernelInfo().kernel, 'simd');
equal(Math.abs(strategy.computeLoss(student, teacher) / byJavaScript - 1) < 1e-6, true);

WebAssembly.Module = Module;
const createWorker = () => new Worker(pathOf('worker'));
const arena = await MatrixArena.withThreads(1 << 20, 2, { createWorker });
equal(arena.threads, 2);
arena.close();
