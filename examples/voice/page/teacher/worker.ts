import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { FRAME, SAMPLE_RATE } from '../../detector/features.js';
import type { Request, Response } from './protocol.js';

// The worker in which the teacher listens, one frame after the other.

/** Samples before a frame that the teacher reads again. */
const CONTEXT = 64;
/** The teacher's memory: two vectors of 128 numbers. */
const MEMORY = [2, 1, 128];

let session: Promise<InferenceSession> | undefined;
const input = new Float32Array(CONTEXT + FRAME);
let state: Tensor;
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
      session = InferenceSession.create(request.teacher);
      await session;
      return post({ kind: 'opened' });
    }
    case 'listen': {
      if (request.first) forget();
      const frames = request.sound.length / FRAME;
      const probabilities = new Float32Array(frames);
      const start = performance.now();
      for (let frame = 0; frame < frames; frame++) {
        probabilities[frame] = await hear(
          request.sound.subarray(frame * FRAME, (frame + 1) * FRAME),
        );
      }
      const milliseconds = performance.now() - start;
      return post({ kind: 'heard', id: request.id, probabilities, milliseconds });
    }
  }
}

function forget(): void {
  input.fill(0);
  state = new Tensor('float32', new Float32Array(MEMORY[0]! * MEMORY[2]!), MEMORY);
}

/** Returns the probability of speech in the next frame. */
async function hear(frame: Float32Array): Promise<number> {
  input.copyWithin(0, FRAME);
  input.set(frame, CONTEXT);
  const outputs = await (await session!).run({
    input: new Tensor('float32', input, [1, input.length]),
    state,
    sr: new Tensor('int64', BigInt64Array.of(BigInt(SAMPLE_RATE)), []),
  });
  state = outputs.stateN as Tensor;
  return (outputs.output!.data as Float32Array)[0]!;
}

function post(response: Response): void {
  postMessage(response);
}
