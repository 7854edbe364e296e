import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { FRAME } from '../../detector/features.js';
import { Silero } from '../../silero.js';
import type { Request, Response } from './protocol.js';

// The worker in which the teacher listens, one frame after the other.

let session: InferenceSession;
let network: Silero;
/** Every request waits for the one before it: the teacher's memory has an order. */
let done: Promise<unknown> = Promise.resolve();

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  done = done
    .then(() => answer(data))
    .catch((error: unknown) => {
      post({ kind: 'failed', reason: String(error) });
    });
});

async function answer(request: Request): Promise<void> {
  switch (request.kind) {
    case 'open': {
      env.wasm.numThreads = 1; // a frame is too small to be split
      session = await InferenceSession.create(request.teacher);
      return post({ kind: 'opened' });
    }
    case 'listen': {
      if (request.first) network = new Silero(session, Tensor, 1);
      const frames = request.sound.length / FRAME;
      const probabilities = new Float32Array(frames);
      const start = performance.now();
      for (let frame = 0; frame < frames; frame++) {
        const samples = request.sound.subarray(frame * FRAME, (frame + 1) * FRAME);
        probabilities.set(await network.hear([samples]), frame);
      }
      const milliseconds = performance.now() - start;
      return post({ kind: 'heard', id: request.id, probabilities, milliseconds });
    }
  }
}

function post(response: Response): void {
  postMessage(response);
}
