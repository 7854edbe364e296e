import { Random } from '../shared/random.js';
import { activity, levelOf } from './activity.js';
import { BACKGROUNDS, type BackgroundName } from './backgrounds.js';
import { FRAME, SAMPLE_RATE } from './detector/features.js';
import { resample } from './resampling.js';
import { type Language, type Recording, readMusic, readSpeech } from './sounds.js';

/** Scenes of speech with pauses in front of a background; sizes in seconds and scenes. */
export interface Plan {
  readonly purpose: 'training' | 'test';
  readonly languages: readonly Language[];
  /** Scenes of each language with each background. */
  readonly each: number;
  readonly seconds: number;
  readonly seed: number;
}

/** The subject of a scene, one of {@link listSubjects}. */
export interface Subject {
  readonly language: Language;
  readonly background: BackgroundName;
}

export interface Scene {
  /** Samples of 16 kHz. */
  readonly sound: Float32Array;
  /** 1 for every frame with speech, by the recordings alone; 0 for others. */
  readonly truth: Uint8Array;
}

/** Speeds at which a voice is played in training, so that three voices become more. */
const SPEEDS = [0.8, 0.9, 1, 1.1, 1.2];

/** Decibels of speech below full scale: from a loud voice to a distant one. */
const SPEECH_LEVEL = { from: -35, to: -12 };
/** Decibels of speech above its background. */
const SIGNAL_TO_NOISE = { from: 0, to: 25 };
/** Decibels of the background "silence" below full scale. */
const SILENCE_LEVEL = { from: -85, to: -60 };
/** Decibels by which recordings of one scene differ from each other. */
const VARIATION = { from: -4, to: 4 };

/** Lists the subjects of a plan's scenes: languages change fastest, then backgrounds. */
export function listSubjects({ languages, each }: Plan): readonly Subject[] {
  const backgrounds = Object.keys(BACKGROUNDS) as BackgroundName[];
  const once = backgrounds.flatMap((background) =>
    languages.map((language) => ({ language, background })),
  );
  return Array.from({ length: each }, () => once).flat();
}

/** Mixes the scenes of a plan, one after the other. The same plan gives the same scenes. */
export function* mixScenes(plan: Plan): Generator<Scene> {
  const speech = new Map(plan.languages.map((language) => [language, readSpeech(language)]));
  const music = readMusic(plan.purpose);
  for (const [index, subject] of listSubjects(plan).entries()) {
    const random = new Random(plan.seed, `${plan.purpose} scene ${index}`);
    yield mixScene(plan, subject, speech.get(subject.language)!, music, random);
  }
}

/** Mixes a scene of recordings, with pauses between them, and a background. */
export function mixScene(
  { purpose, seconds }: Plan,
  { background }: Subject,
  speech: readonly Recording[],
  music: readonly Recording[],
  random: Random,
): Scene {
  const frames = Math.floor((seconds * SAMPLE_RATE) / FRAME);
  const sound = new Float32Array(frames * FRAME);
  const speaking = new Uint8Array(sound.length);
  const speechLevel = between(SPEECH_LEVEL, random);
  const speed = purpose === 'training' ? SPEEDS[random.below(SPEEDS.length)]! : 1;
  let place = pauseAfter(random);
  while (place < sound.length) {
    const clip = resample(speech[random.below(speech.length)]!, speed);
    const active = activity(clip);
    const gain = decibels(speechLevel + between(VARIATION, random)) / levelOf(clip, active);
    const length = Math.min(clip.length, sound.length - place);
    for (let i = 0; i < length; i++) sound[place + i] = gain * clip[i]!;
    speaking.set(active.subarray(0, length), place);
    place += length + pauseAfter(random);
  }
  const behind = new Float32Array(sound.length);
  BACKGROUNDS[background](behind, random, music);
  const level =
    background === 'silence'
      ? between(SILENCE_LEVEL, random)
      : speechLevel - between(SIGNAL_TO_NOISE, random);
  const gain = decibels(level) / levelOf(behind);
  for (let i = 0; i < sound.length; i++) {
    sound[i] = Math.max(-1, Math.min(1, sound[i]! + gain * behind[i]!));
  }
  return { sound, truth: framesOf(speaking) };
}

/** Returns the samples of a pause: mostly a breath, sometimes up to six seconds. */
function pauseAfter(random: Random): number {
  const seconds =
    random.uniform() < 0.6 ? 0.1 + 0.5 * random.uniform() : 0.6 + 5.4 * random.uniform();
  return Math.floor(seconds * SAMPLE_RATE);
}

/** Returns 1 for each frame of which more than half is speech. */
function framesOf(speaking: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: speaking.length / FRAME }, (_, frame) => {
    let count = 0;
    for (let i = 0; i < FRAME; i++) count += speaking[frame * FRAME + i]!;
    return count > FRAME / 2 ? 1 : 0;
  });
}

function between({ from, to }: { from: number; to: number }, random: Random): number {
  return from + (to - from) * random.uniform();
}

function decibels(level: number): number {
  return 10 ** (level / 20);
}
