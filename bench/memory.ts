// Measures the memory of a batch of a language model's size: npm run bench:memory. Evaluation needs
// next to nothing beside its three matrices.

import { Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';

const [rows, columns] = [2048, 151_936];

/** Mebibytes of typed arrays, and of the memory of the process. */
function memory(): string {
  const { arrayBuffers, rss } = process.memoryUsage();
  return `${(arrayBuffers / 2 ** 20).toFixed(1)} MiB in arrays, ${(rss / 2 ** 20).toFixed(0)} MiB in all`;
}

const logits = (phase: number) => {
  const matrix = Matrix.zeros(rows, columns);
  for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = 3 * Math.sin(i + phase);
  return matrix;
};
const [student, teacher] = [logits(0), logits(1)];
const gradient = student.zerosLike();
gradient.data.fill(1); // so that the operating system has committed the memory
const labels = Int32Array.from({ length: rows }, (_, row) => (7 * row) % columns);
console.log(`student, teacher and gradient of ${rows} × ${columns} float32: ${memory()}`);
const strategy = new ResponseDistillationStrategy();
const start = performance.now();
const { loss } = strategy.computeLossAndGradient(student, teacher, labels, { gradient });
const seconds = (performance.now() - start) / 1000;
console.log(
  `after loss (${loss.toFixed(6)}) and gradient, in ${seconds.toFixed(2)} s: ${memory()}`,
);
