import type { Random } from '../shared/random.js';
import { SAMPLE_RATE } from './detector/features.js';
import { resample } from './resampling.js';
import type { Recording } from './sounds.js';

/** Writes a background of any level into a sound. */
type Background = (sound: Float32Array, random: Random, music: readonly Recording[]) => void;

export type BackgroundName =
  | 'silence'
  | 'white noise'
  | 'pink noise'
  | 'brown noise'
  | 'hum'
  | 'taps'
  | 'music';

/** The sounds behind the speech and in its pauses. */
export const BACKGROUNDS: Readonly<Record<BackgroundName, Background>> = {
  silence: white, // of a quiet microphone: the scene gives it its level
  'white noise': white,
  'pink noise': pink,
  'brown noise': brown,
  hum,
  taps,
  music: playMusic,
};

function white(sound: Float32Array, random: Random): void {
  for (let i = 0; i < sound.length; i++) sound[i] = random.normal();
}

/** Corner frequencies, in hertz, of the low passes whose sum falls by 3 dB an octave. */
const PINK_CORNERS = [20, 80, 320, 1280, 5120];

/** Sums white noise through low passes of equal power, two octaves apart. */
function pink(sound: Float32Array, random: Random): void {
  for (const corner of PINK_CORNERS) {
    const keep = Math.exp((-2 * Math.PI * corner) / SAMPLE_RATE);
    const gain = Math.sqrt(1 - keep * keep);
    let value = 0;
    for (let i = 0; i < sound.length; i++) {
      value = keep * value + gain * random.normal();
      sound[i]! += value;
    }
  }
}

/** Sums up white noise, which falls by 6 dB an octave above 50 Hz. */
function brown(sound: Float32Array, random: Random): void {
  const keep = Math.exp((-2 * Math.PI * 50) / SAMPLE_RATE);
  let value = 0;
  for (let i = 0; i < sound.length; i++) {
    value = keep * value + random.normal();
    sound[i] = value;
  }
}

/** The hum of the mains, of 50 or 60 Hz, with harmonics up to 1 kHz, over a little noise. */
function hum(sound: Float32Array, random: Random): void {
  const mains = random.uniform() < 0.5 ? 50 : 60;
  for (let harmonic = mains; harmonic <= 1000; harmonic += mains) {
    const amplitude = (random.uniform() * mains) / harmonic;
    const phase = 2 * Math.PI * random.uniform();
    const step = (2 * Math.PI * harmonic) / SAMPLE_RATE;
    for (let i = 0; i < sound.length; i++) sound[i]! += amplitude * Math.sin(phase + step * i);
  }
  for (let i = 0; i < sound.length; i++) sound[i]! += 0.02 * random.normal();
}

/** Taps, as of keys and cups: short bursts of noise that fade, over a little noise. */
function taps(sound: Float32Array, random: Random): void {
  for (let i = 0; i < sound.length; i++) sound[i] = 0.01 * random.normal();
  const rate = 1 + 5 * random.uniform(); // taps a second, on average
  for (let start = 0; start < sound.length; start += pause(random, rate)) {
    const amplitude = 10 ** -random.uniform();
    const fade = Math.exp(-1 / (SAMPLE_RATE * (0.002 + 0.03 * random.uniform())));
    let level = amplitude;
    for (let i = start; i < sound.length && level > amplitude / 1000; i++) {
      sound[i]! += level * random.normal();
      level *= fade;
    }
  }
}

/** Returns the samples until the next of events that are independent of each other. */
function pause(random: Random, rate: number): number {
  return 1 + Math.floor((-Math.log(1 - random.uniform()) / rate) * SAMPLE_RATE);
}

/** Plays a piece of music from a random place, over and over. */
function playMusic(sound: Float32Array, random: Random, music: readonly Recording[]): void {
  const piece = music[random.below(music.length)]!;
  const start = random.below(piece.length);
  const needed = Math.ceil(sound.length / 2) + 1; // recorded samples
  const part = Float32Array.from({ length: needed }, (_, i) => piece[(start + i) % piece.length]!);
  sound.set(resample(part).subarray(0, sound.length));
}
