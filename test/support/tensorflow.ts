// TensorFlow.js as its package `@tensorflow/tfjs` exports it, from the parts that the tests use,
// since the complete package is twice as large. The tests and the guides import it by its usual
// name, which tsconfig.json and vitest.config.ts map to this file. test/package runs the complete
// package.

import '@tensorflow/tfjs-backend-cpu';

export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers'; // registers the gradients, too
