import { type Signal, signal } from '@preact/signals';
import { PIXELS, toRows } from '../../digits/images.js';
import { decodeDigits } from '../assets/encoding.js';
import heldOut from '../assets/held-out.bin?url';
import samples from '../assets/samples.bin?url&inline';
import teacher from '../assets/teacher.bin?url';
import training from '../assets/training.bin?url';

/** The images of the students, as `encodeDigits` writes them. */
export interface StudentFiles {
  readonly training: Uint8Array;
  readonly heldOut: Uint8Array;
}

/** The loaded part of the files that are being loaded, in [0, 1]; undefined if unknown. */
export const progress: Signal<number | undefined> = signal(undefined);

/** Returns one held-out image of each digit, from 0 to 9. They are part of the script. */
export async function loadSamples(): Promise<readonly Float32Array[]> {
  const { images, labels } = decodeDigits(await inflate(await (await fetch(samples)).blob()));
  return Array.from(labels, (_, digit) =>
    toRows(images.subarray(digit * PIXELS, (digit + 1) * PIXELS)),
  );
}

/** Returns the teacher's weights. */
export async function loadTeacher(): Promise<Float32Array> {
  const [weights] = await loadAll([teacher]);
  return new Float32Array(await weights!.arrayBuffer());
}

export async function loadStudentFiles(): Promise<StudentFiles> {
  const [seen, unseen] = await loadAll([training, heldOut]);
  return { training: await inflate(seen!), heldOut: await inflate(unseen!) };
}

/** Loads files, and shows in {@link progress} how far it is. */
async function loadAll(urls: readonly string[]): Promise<Blob[]> {
  progress.value = undefined;
  const responses = await Promise.all(urls.map(request));
  const total = responses.reduce((sum, { headers }) => sum + lengthOf(headers), 0);
  let loaded = 0;
  const count = (bytes: number): void => {
    loaded += bytes;
    progress.value = Number.isNaN(total) ? undefined : loaded / total;
  };
  return await Promise.all(responses.map((response) => read(response, count)));
}

async function request(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be loaded: ${response.status}`);
  return response;
}

/** Returns the number of bytes that will arrive; NaN if the server does not say. */
function lengthOf(headers: Headers): number {
  // The length of an encoded file is the number of its encoded bytes, which nobody can count here.
  if (headers.has('content-encoding')) return Number.NaN;
  return Number(headers.get('content-length') ?? Number.NaN);
}

async function read(response: Response, count: (bytes: number) => void): Promise<Blob> {
  const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform: (chunk, controller) => {
      count(chunk.length);
      controller.enqueue(chunk);
    },
  });
  return await new Response(response.body!.pipeThrough(counted)).blob();
}

async function inflate(file: Blob): Promise<Uint8Array> {
  const stream = file.stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
