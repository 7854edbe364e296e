// jax-js with the loss by hand and automatic differentiation, from plain arrays and back.

import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { responseLoss } from '../../../../../../bench/jaxLoss.js';
import type { Prepare } from './contestant.js';

export function onDevice(device: 'wasm' | 'webgpu', compiles: boolean): Prepare {
  return async ({ rows, columns, ...arrays }) => {
    const found = await init(device);
    if (!found.includes(device)) throw new Error(`${device} is not available here`);
    const select = () => void defaultDevice(device);
    select();
    const eager = valueAndGrad(responseLoss);
    const differentiate = compiles ? jit(eager) : eager;
    const matrix = (data: Float32Array<ArrayBuffer>) => np.array(data).reshape([rows, columns]);
    const step = async () => {
      const oneHot =
        arrays.labels && nn.oneHot(np.array(arrays.labels, { dtype: np.int32 }), columns);
      const [value, gradient] = differentiate(
        matrix(arrays.student),
        matrix(arrays.teacher),
        ...(oneHot ? [oneHot] : []),
      );
      return { gradient: await gradient.data(), loss: (await value.data())[0]! };
    };
    return { step, select, ...note(device) };
  };
}

/** In an isolated page, jax-js starts a thread for each core. */
function note(device: string): { note?: string } {
  if (device !== 'wasm') return {};
  return { note: crossOriginIsolated ? `${navigator.hardwareConcurrency} threads` : '1 thread' };
}
