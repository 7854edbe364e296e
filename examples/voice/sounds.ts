import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../shared/commandLine.js';

/** Where Debian's packages install their sounds. */
const FOLDER = '/usr/share/asterisk';

/** The folder of each language in the packages; each has a single speaker. */
const VOICES = {
  en: 'en_US_f_Allison',
  es: 'es_MX_f_Allison',
  fr: 'fr_CA_f_June',
  it: 'it_IT_m_Carlo',
  ru: 'ru_RU_f_IvrvoiceRU',
} as const;

export type Language = keyof typeof VOICES;

/** Recordings of the packages that are not speech. */
const NO_SPEECH =
  /(^|\/)(silence\/.*|beep|beeperr|ascending-2tone|descending-2tone|tt-monkeys)\.wav$/;

/** Samples a second of the packages' recordings. */
export const RECORDED_RATE = 8_000;

/** A recording of 8 kHz, of −1 to 1. */
export type Recording = Float32Array;

/** Reads the speech of a language, in the order of the files' names. */
export function readSpeech(language: Language, root: string = FOLDER): readonly Recording[] {
  const folder = join(root, 'sounds', VOICES[language]);
  const names = listSounds(folder, `asterisk-core-sounds-${language}-wav`, true);
  return names
    .filter((name) => !NO_SPEECH.test(name))
    .map((name) => readWav(join(folder, name)))
    .filter((recording) => recording.length > 0); // a file of the Russian package is empty
}

/** Pieces of music for training; the others are for testing. */
const TRAINING_MUSIC = /^macroform/;

/** Reads the pieces of music that are only for training, or only for testing. */
export function readMusic(purpose: 'training' | 'test'): readonly Recording[] {
  const folder = join(FOLDER, 'moh');
  return listSounds(folder, 'asterisk-moh-opsound-wav', false)
    .filter((name) => TRAINING_MUSIC.test(name) === (purpose === 'training'))
    .map((name) => readWav(join(folder, name)));
}

/** Lists the sounds of a package by name, with `/` between folders. */
function listSounds(folder: string, debianPackage: string, recursive: boolean): readonly string[] {
  if (!existsSync(folder)) {
    throw new UserError(
      `${folder} is missing; on Debian and Ubuntu, this installs it: apt-get install ${debianPackage}`,
    );
  }
  return readdirSync(folder, { recursive })
    .map((name) => String(name).replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.wav'))
    .sort();
}

/** Reads a WAV file with one channel of 16 bits at 8 kHz. */
function readWav(file: string): Recording {
  const bytes = readFileSync(file);
  const format = chunk(bytes, 'fmt ');
  const data = chunk(bytes, 'data');
  const [channels, rate, bits] = [2, 4, 14].map((at) => format?.readUInt16LE(at));
  if (!data || channels !== 1 || rate !== RECORDED_RATE || bits !== 16) {
    throw new Error(`${file} is no WAV file with one channel of 16 bits at ${RECORDED_RATE} Hz`);
  }
  return Float32Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(2 * i) / 32768);
}

/** Returns the content of the first chunk with a name. */
function chunk(bytes: Buffer, name: string): Buffer | undefined {
  let start = 12; // after RIFF, the length, and WAVE
  while (start + 8 <= bytes.length) {
    const length = bytes.readUInt32LE(start + 4);
    if (bytes.toString('latin1', start, start + 4) === name) {
      return bytes.subarray(start + 8, start + 8 + length);
    }
    start += 8 + length + (length % 2); // chunks start at even places
  }
  return undefined;
}
