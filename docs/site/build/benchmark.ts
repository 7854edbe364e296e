import { writePage } from './repository.js';

/** Writes the page that measures in the visitor's browser. */
export function writeBenchmark(): void {
  writePage(
    'benchmark',
    'docs/speed.md',
    `<script setup>
import Benchmark from '../.vitepress/theme/benchmark/Benchmark.vue';
import Code from '../.vitepress/theme/benchmark/Code.vue';
</script>

# Benchmark

How fast are a loss and its gradient in your browser: by this library, by TensorFlow.js and by jax-js? All compute the response loss of the same two arrays of logits, and return its gradient as an array.

<Benchmark />

## How it is measured

- **The work.** A call gets the logits of a student and of a teacher as plain arrays in float32. It returns the loss at T = 3 and the gradient, read back as a plain array. With an *arena*, the arrays lie in the memory of WebAssembly from the start.
- **This library.** *New gradient* is the plain call. *Output buffer* writes into a matrix that exists, and *arena* computes in place ([performance](guides/performance.md)). *No WebAssembly* is the kernel in JavaScript, which runs where a content security policy forbids WebAssembly.
- **The others.** TensorFlow.js and jax-js have no such loss. The page writes the loss in their operations, and they differentiate it.
- **The same answer.** Before it is measured, each contestant's loss and gradient are compared with those of the first row. A contestant that differs by more than 1 % is not measured.
- **Warm-up.** The first call and the calls of the next quarter of a second do not count. *All numbers* shows them.
- **By turns.** In each of nine rounds, each contestant repeats its call for at least 25 ms, because browsers round their clock. A time is the median of the rounds; a thin line in a bar is one round. A ratio is the median of the ratios of each round. A contestant whose call takes more than 100 ms runs in three rounds.
- **Threads.** On a page that is not isolated, all contestants have one thread. On an isolated page, the row with *threads* has up to four, and jax-js on wasm starts one for each core. TensorFlow.js on wasm has one on both.
- **Not measured.** The training of a whole model; tensors that stay on a graphics card, where nothing is read back; memory; energy.

[Speed](speed.md) has measurements in Node, beside PyTorch.

<Code />
`,
    'description: Measure a loss and its gradient in your browser, by this library, TensorFlow.js and jax-js.\noutline: false\naside: false\n',
  );
}
