import { SAMPLE_RATE } from '../../detector/features.js';
import { Resampler } from '../../detector/resampler.js';
import { decodeMuLaw, encodeMuLaw } from './muLaw.js';

/** Samples a second of the clips: as the sounds of which they are mixed. */
const CLIP_RATE = 8_000;

/** Bytes of the header of a WAV file of mu-law. */
const HEADER = 58;

/** Writes a sound of 16 kHz as a small WAV file, which every browser can play. */
export function encodeRecording(sound: Float32Array): Uint8Array {
  const samples: number[] = [];
  new Resampler(SAMPLE_RATE, CLIP_RATE).push(sound, (sample) => samples.push(sample));
  const file = new Uint8Array(HEADER + samples.length);
  const view = new DataView(file.buffer);
  const write = (place: number, text: string): void =>
    file.set(new TextEncoder().encode(text), place);
  write(0, 'RIFF');
  view.setUint32(4, file.length - 8, true);
  write(8, 'WAVEfmt ');
  view.setUint32(16, 18, true);
  view.setUint16(20, 7, true); // mu-law
  view.setUint16(22, 1, true); // channel
  view.setUint32(24, CLIP_RATE, true);
  view.setUint32(28, CLIP_RATE, true); // bytes a second
  view.setUint16(32, 1, true); // byte a sample
  view.setUint16(34, 8, true); // bits a sample
  write(38, 'fact');
  view.setUint32(42, 4, true);
  view.setUint32(46, samples.length, true);
  write(50, 'data');
  view.setUint32(54, samples.length, true);
  file.set(samples.map(encodeMuLaw), HEADER);
  return file;
}

/** Reads such a file as a sound of 16 kHz. */
export function decodeRecording(file: Uint8Array): Float32Array {
  const samples = Float32Array.from(file.subarray(HEADER), decodeMuLaw);
  const sound: number[] = [];
  new Resampler(CLIP_RATE, SAMPLE_RATE).push(samples, (sample) => sound.push(sample));
  return Float32Array.from(sound);
}
