import { Detector } from '../../detector/detector.js';
import { decode } from '../../detector/weights.js';
import type { Heard } from './microphone.js';

// TypeScript's DOM library does not have the global scope of an AudioWorklet.
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: typeof Processor): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

/** Runs the student on the audio thread, and reports each frame. */
class Processor extends AudioWorkletProcessor {
  readonly #detector: Detector;

  constructor({ processorOptions }: { readonly processorOptions: { weights: Uint8Array } }) {
    super();
    const student = decode(processorOptions.weights);
    this.#detector = new Detector(student, sampleRate, (probability, frame) => {
      const message: Heard = { probability, frame: frame.slice() };
      this.port.postMessage(message, [message.frame.buffer]);
    });
  }

  /** Gets the next 128 samples, or none if the microphone is not connected yet. */
  process([[samples]]: readonly [readonly Float32Array[]]): boolean {
    if (samples) this.#detector.push(samples);
    return true;
  }
}

registerProcessor('student', Processor);
