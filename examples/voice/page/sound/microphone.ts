import { weights, worklet } from 'virtual:assets';
import { download } from './download.js';

/** A frame that the student has heard. */
export interface Heard {
  /** The student's probability of speech. */
  readonly probability: number;
  /** 512 samples of 16 kHz. */
  readonly frame: Float32Array<ArrayBuffer>;
}

/** Why there is nothing to hear, in a sentence for the visitor. */
export class Refusal extends Error {}

/**
 * Runs the student on the microphone.
 *
 * @param heard Called for each frame.
 * @param ended Called with the reason if there will be no more frames, such as when the microphone
 *   is pulled out.
 * @param signal Releases the microphone when it aborts, also one that the visitor allows later.
 * @throws {Refusal} If the browser or the visitor gives no microphone.
 */
export async function listen(
  heard: (frame: Heard) => void,
  ended: (reason: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (!navigator.mediaDevices || !('audioWorklet' in AudioContext.prototype)) {
    throw new Refusal(
      'This browser gives no microphone to this page: it needs AudioWorklet, and an address that begins with https.',
    );
  }
  const stream = await ask();
  whenAborted(signal, () => {
    for (const track of stream.getTracks()) track.stop();
  });
  signal.throwIfAborted();
  const context = new AudioContext();
  whenAborted(signal, () => void context.close());
  await context.audioWorklet.addModule(worklet.url);
  const student = new AudioWorkletNode(context, 'student', {
    processorOptions: { weights: await download(weights.url) },
  });
  student.port.onmessage = ({ data }: MessageEvent<Heard>) => signal.aborted || heard(data);
  student.onprocessorerror = () => signal.aborted || ended('The student has stopped.');
  stream.getAudioTracks()[0]!.onended = () => ended('The microphone is gone.');
  context.createMediaStreamSource(stream).connect(student);
  student.connect(context.destination); // is silent, but keeps the node running
  await context.resume();
  signal.throwIfAborted();
}

/** Calls a function when a signal aborts, or now if it has aborted. */
function whenAborted(signal: AbortSignal, end: () => void): void {
  if (signal.aborted) end();
  else signal.addEventListener('abort', end);
}

/**
 * Asks the visitor for the microphone as it is: the detector copes with noise itself, and has
 * learned to hear quiet voices.
 */
async function ask(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        channelCount: 1,
        autoGainControl: false,
        echoCancellation: false,
        noiseSuppression: false,
      },
    });
  } catch (error) {
    throw new Refusal(REASONS[(error as DOMException).name] ?? String(error), { cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError:
    'The browser does not let this page use the microphone. The site settings of the browser can allow it.',
  NotFoundError: 'This device has no microphone.',
  NotReadableError: 'The microphone cannot be opened. Another program may be using it.',
};
