import { type Signal, signal } from '@preact/signals';
import { PIXELS, toRows } from '../../digits/images.js';
import { ALL_BYTES, decodeDigits } from '../assets/encoding.js';
import heldOut from '../assets/held-out.bin?url';
import samples from '../assets/samples.bin?url&inline';
import teacher from '../assets/teacher.bin?url';
import training from '../assets/training.bin?url';

/** The images of the students, as `encodeDigits` writes them. */
export interface StudentFiles {
  readonly training: Uint8Array;
  readonly heldOut: Uint8Array;
}

/** The loaded part of teacher and images, in [0, 1]. */
export const progress: Signal<number> = signal(0);

/** Returns one held-out image of each digit, from 0 to 9. They are part of the script. */
export async function loadSamples(): Promise<readonly Float32Array[]> {
  const { images, labels } = decodeDigits(await inflate(await (await fetch(samples)).blob()));
  return Array.from(labels, (_, digit) =>
    toRows(images.subarray(digit * PIXELS, (digit + 1) * PIXELS)),
  );
}

/** Returns the teacher's weights. */
export async function loadTeacher(): Promise<Float32Array> {
  const [weights] = await loadAll([teacher], 0);
  return new Float32Array(await weights!.arrayBuffer());
}

/** Loads the images, after the teacher. */
export async function loadStudentFiles(weights: Float32Array): Promise<StudentFiles> {
  const [seen, unseen] = await loadAll([training, heldOut], weights.byteLength);
  return { training: await inflate(seen!), heldOut: await inflate(unseen!) };
}

/** Loads files after `bytes` bytes of others, and shows in {@link progress} how far it is. */
async function loadAll(urls: readonly string[], bytes: number): Promise<Blob[]> {
  let loaded = bytes;
  const count = (chunk: Uint8Array): void => {
    loaded += chunk.length;
    progress.value = Math.min(loaded / ALL_BYTES, 1);
  };
  return await Promise.all(urls.map(async (url) => read(await request(url), count)));
}

async function request(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be loaded: ${response.status}`);
  return response;
}

async function read(response: Response, count: (chunk: Uint8Array) => void): Promise<Blob> {
  const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform: (chunk, controller) => {
      count(chunk);
      controller.enqueue(chunk);
    },
  });
  return await new Response(response.body!.pipeThrough(counted)).blob();
}

async function inflate(file: Blob): Promise<Uint8Array> {
  const stream = file.stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
