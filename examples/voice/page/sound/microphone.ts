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
 * @param ended Called if the microphone is gone, such as when it is pulled out.
 * @returns A function that releases the microphone.
 * @throws {Refusal} If the browser or the visitor gives no microphone.
 */
export async function listen(
  heard: (frame: Heard) => void,
  ended: () => void,
): Promise<() => void> {
  if (!navigator.mediaDevices || !('audioWorklet' in AudioContext.prototype)) {
    throw new Refusal(
      'This browser gives no microphone to this page: it needs AudioWorklet, and an address that begins with https.',
    );
  }
  const stream = await ask();
  const context = new AudioContext();
  const stop = (): void => {
    for (const track of stream.getTracks()) track.stop();
    void context.close();
  };
  try {
    await context.audioWorklet.addModule(worklet.url);
    const student = new AudioWorkletNode(context, 'student', {
      processorOptions: { weights: await download(weights.url) },
    });
    student.port.onmessage = ({ data }: MessageEvent<Heard>) => heard(data);
    stream.getAudioTracks()[0]!.onended = ended;
    context.createMediaStreamSource(stream).connect(student);
    student.connect(context.destination); // is silent, but keeps the node running
    await context.resume();
    return stop;
  } catch (error) {
    stop();
    throw error;
  }
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
