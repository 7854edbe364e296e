// The script of /policy.html, which policy.browser.test.ts opens.

import {
  type KernelInfo,
  kernelInfo,
  Matrix,
  ResponseDistillationStrategy,
} from '../../src/index.js';

export interface Answer extends KernelInfo {
  readonly from: 'policy';
  readonly loss: number;
}

const { parent } = globalThis as unknown as {
  readonly parent: { postMessage(answer: Answer): void };
};

const loss = new ResponseDistillationStrategy().computeLoss(
  Matrix.fromRows([[1, 2, 3]]),
  Matrix.fromRows([[3, 1, 2]]),
);
parent.postMessage({ from: 'policy', loss, ...kernelInfo() });
