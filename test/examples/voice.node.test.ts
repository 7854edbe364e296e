import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { startBackend } from '../../examples/digits/backend.js';
import { Random } from '../../examples/shared/random.js';
import { activity } from '../../examples/voice/activity.js';
import { BACKGROUNDS, type BackgroundName } from '../../examples/voice/backgrounds.js';
import { BANDS, FRAME, SAMPLE_RATE } from '../../examples/voice/detector/features.js';
import { countParameters, QUICK_STUDENT, STUDENT } from '../../examples/voice/detector/layout.js';
import { Model, sigmoid } from '../../examples/voice/detector/model.js';
import { decode } from '../../examples/voice/detector/weights.js';
import type { Lesson } from '../../examples/voice/lesson.js';
import { METHODS } from '../../examples/voice/methods.js';
import { formatPublished, withTables } from '../../examples/voice/report.js';
import { resample } from '../../examples/voice/resampling.js';
import { listSubjects, mixScene, type Plan } from '../../examples/voice/scenes.js';
import { areaUnderCurve, decide } from '../../examples/voice/scores.js';
import { RECORDED_RATE, readSpeech } from '../../examples/voice/sounds.js';
import { createStudent, forward, tensorsOf } from '../../examples/voice/student.js';
import { teach } from '../../examples/voice/training.js';

/** A sine with an amplitude of 0.5. */
function sine(hertz: number, seconds: number, rate: number): Float32Array {
  return Float32Array.from(
    { length: seconds * rate },
    (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate),
  );
}

test('a recording keeps its pitch at twice the rate, and rises with its speed', () => {
  const recording = sine(1000, 0.1, RECORDED_RATE);
  for (const [speed, hertz] of [
    [1, 1000],
    [1.2, 1200],
    [0.8, 800],
  ] as const) {
    const sound = resample(recording, speed);
    const expected = sine(hertz, 0.1 / speed, SAMPLE_RATE);
    expect(sound.length).toBe(Math.floor(expected.length));
    // At its ends, a recording stops abruptly.
    for (let i = 100; i < sound.length - 100; i++) {
      expect(Math.abs(sound[i]! - expected[i]!)).toBeLessThan(0.002);
    }
  }
});

test('speech includes short gaps, and neither long ones nor whispers', () => {
  const tone = sine(300, 0.5, SAMPLE_RATE);
  const silence = (seconds: number) => new Float32Array(seconds * SAMPLE_RATE);
  const whisper = tone.map((value) => value / 100); // 40 dB
  const parts = [silence(0.3), tone, silence(0.15), tone, silence(0.3), tone, whisper];
  const clip = Float32Array.from(parts.flatMap((part) => [...part]));
  const active = activity(clip);
  const seconds = (from: number, to: number) =>
    new Set(active.subarray(from * SAMPLE_RATE, to * SAMPLE_RATE));
  expect(seconds(0, 0.29)).toEqual(new Set([0]));
  expect(seconds(0.3, 1.45)).toEqual(new Set([1])); // two tones and the short gap
  expect(seconds(1.46, 1.74)).toEqual(new Set([0])); // the long gap
  expect(seconds(1.75, 2.25)).toEqual(new Set([1]));
  expect(seconds(2.26, 2.75)).toEqual(new Set([0])); // the whisper
});

const PLAN: Plan = { purpose: 'test', languages: ['it', 'ru'], each: 3, seconds: 8, seed: 1 };

function mix(background: BackgroundName, seed: number) {
  const speech = [sine(200, 1, RECORDED_RATE), sine(300, 0.4, RECORDED_RATE)];
  const music = [sine(3000, 2, RECORDED_RATE)];
  const subject = { language: 'it', background } as const;
  return mixScene(PLAN, subject, speech, music, new Random(seed, 'scene'));
}

test('every background mixes whole frames, and the same seed gives the same scene', () => {
  for (const background of Object.keys(BACKGROUNDS) as BackgroundName[]) {
    const { sound, truth } = mix(background, 1);
    expect(sound.length).toBe(250 * FRAME); // 8 s
    expect(truth.length).toBe(250);
    expect(new Set(truth)).toEqual(new Set([0, 1]));
    expect(sound.every((value) => Math.abs(value) <= 1)).toBe(true);
    const isSame = (other: Float32Array) => other.every((value, i) => value === sound[i]);
    expect(isSame(mix(background, 1).sound)).toBe(true);
    expect(isSame(mix(background, 2).sound)).toBe(false);
  }
});

test('frames of speech are louder than the pauses of a quiet scene', () => {
  const { sound, truth } = mix('silence', 3);
  const loudest = Array.from(truth, (_, frame) =>
    Math.max(...sound.subarray(frame * FRAME, (frame + 1) * FRAME)),
  );
  const levels = (speaking: number) => loudest.filter((_, frame) => truth[frame] === speaking);
  expect(Math.min(...levels(1))).toBeGreaterThan(0.01);
  // A frame that speech begins or ends in is loud, too, even if most of it is a pause.
  const quiet = levels(0).sort((a, b) => a - b);
  expect(quiet[Math.floor(quiet.length / 2)]).toBeLessThan(0.01);
});

test('a plan has as many scenes of each language with each background', () => {
  const count = new Map<string, number>();
  for (const { language, background } of listSubjects(PLAN)) {
    const key = `${language}, ${background}`;
    count.set(key, (count.get(key) ?? 0) + 1);
  }
  expect(count.size).toBe(2 * Object.keys(BACKGROUNDS).length);
  expect(new Set(count.values())).toEqual(new Set([3]));
});

/** Returns a WAV file with one channel of 16 bits, and a chunk of odd length in front of them. */
function wav(samples: readonly number[], rate: number): Uint8Array {
  const note = [...Buffer.from('LIST'), 3, 0, 0, 0, 1, 2, 3, 0];
  const file = Buffer.alloc(44 + note.length + 2 * samples.length);
  file.write('RIFF');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(2 * rate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.set(note, 36);
  file.write('data', 36 + note.length);
  file.writeUInt32LE(2 * samples.length, 40 + note.length);
  for (const [i, value] of samples.entries()) file.writeInt16LE(value, 44 + note.length + 2 * i);
  return file;
}

test('sounds are read from their folder, without tones and empty files', () => {
  const root = mkdtempSync(join(tmpdir(), 'sounds-'));
  try {
    const folder = join(root, 'sounds', 'it_IT_m_Carlo');
    mkdirSync(join(folder, 'digits'), { recursive: true });
    writeFileSync(join(folder, 'hello.wav'), wav([0, 16384, -32768], 8000));
    writeFileSync(join(folder, 'digits', '1.wav'), wav([8192], 8000));
    writeFileSync(join(folder, 'beep.wav'), wav([1], 8000));
    writeFileSync(join(folder, 'is.wav'), wav([], 8000));
    expect(readSpeech('it', root).map((recording) => [...recording])).toEqual([
      [0.25],
      [0, 0.5, -1],
    ]);
    writeFileSync(join(folder, 'fast.wav'), wav([1], 16000));
    expect(() => readSpeech('it', root)).toThrow(/fast\.wav is no WAV file .* at 8000 Hz/);
    expect(() => readSpeech('ru', root)).toThrow('apt-get install asterisk-core-sounds-ru-wav');
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('the area under the curve is the fraction of pairs in the right order', () => {
  const random = new Random(1, 'pairs');
  // Few different values: many pairs are equal.
  const values = Float32Array.from({ length: 300 }, () => random.below(20));
  const decisions = Array.from(values, (value) => (random.normal() + value / 5 > 2 ? 1 : 0));
  let [pairs, right] = [0, 0];
  for (const [i, speech] of decisions.entries()) {
    for (const [j, other] of decisions.entries()) {
      if (speech === 0 || other === 1) continue;
      pairs++;
      right += values[i]! > values[j]! ? 1 : values[i] === values[j] ? 0.5 : 0;
    }
  }
  expect(areaUnderCurve(decisions, values)).toBeCloseTo(right / pairs, 12);
  expect(areaUnderCurve(decisions, Float32Array.from(decisions))).toBe(1);
});

/** Returns the bands of `frames` frames of `sounds` sounds, in the order that `forward` reads. */
function randomBands(frames: number, sounds: number, random: Random): Float32Array {
  return Float32Array.from({ length: frames * sounds * BANDS }, () => random.normal());
}

test('training and page compute the same logits', async () => {
  await startBackend();
  const random = new Random(1, 'bands');
  for (const shape of [STUDENT, QUICK_STUDENT, { width: 3, blocks: 1 }]) {
    const [frames, sounds] = [200, 3]; // longer than what the student hears at once
    const student = createStudent(shape, random);
    student.parameters.forEach((_, i, all) => {
      all[i]! += 0.1 * random.normal(); // biases, too
    });
    expect(student.parameters.length).toBe(countParameters(shape));
    const bands = randomBands(frames, sounds, random);
    const logits = tf.tidy(() =>
      forward(tf.tensor2d(bands, [frames * sounds, BANDS]), sounds, tensorsOf(student)).dataSync(),
    );
    for (let sound = 0; sound < sounds; sound++) {
      const model = new Model(student);
      for (let row = sound; row < frames * sounds; row += sounds) {
        expect(logits[row]).toBeCloseTo(model.step(bands, row * BANDS), 4);
      }
    }
  }
});

/** Scenes whose teacher and truth decide by one band each. */
function makeLesson(seed: number): Lesson {
  const [scenes, frames] = [8, 300];
  const bands = randomBands(frames, scenes, new Random(seed, 'bands'));
  const isLoud = (frame: number, band: number) => bands[frame * BANDS + band]! > 0;
  return {
    subjects: new Array(scenes).fill({ language: 'en', background: 'silence' }),
    frames,
    bands,
    teacher: Float32Array.from({ length: scenes * frames }, (_, i) => (isLoud(i, 3) ? 0.9 : 0.1)),
    truth: Uint8Array.from({ length: scenes * frames }, (_, i) => (isLoud(i, 5) ? 1 : 0)),
  };
}

test('a student learns from the teacher without labels, or from labels without the teacher', async () => {
  const lesson = makeLesson(1);
  const test = makeLesson(2);
  const pace = { steps: 80, batch: 2, learningRate: 0.02 };
  for (const [index, method] of METHODS.entries()) {
    const student = await teach(method, lesson, { width: 8, blocks: 1 }, pace, 1);
    const model = new Model(student);
    const chosen = Array.from(test.truth, (_, frame) =>
      decide(sigmoid(model.step(test.bands, frame * BANDS))),
    );
    const agreement = (decisions: ArrayLike<number>) =>
      chosen.filter((decision, frame) => decision === decisions[frame]).length / chosen.length;
    const fits = [agreement(test.teacher.map(decide)), agreement(test.truth)];
    expect(fits[index]).toBeGreaterThan(0.9);
    expect(fits[1 - index]).toBeLessThan(0.6);
  }
});

test('the documents have the published results, of the published student', () => {
  const read = (file: string) => readFileSync(new URL(`../../examples/${file}`, import.meta.url));
  const results = JSON.parse(read('voice/results.json').toString());
  const readme = read('voice/README.md').toString();
  expect(withTables(readme, results)).toBe(readme);
  expect(withTables(readme, { ...results, student: { bytes: 5e6 } })).toContain('| 5,000 kB |');

  const published = results.methods[0].runs[0].judgements['all scenes'].teacher.agreement;
  expect(formatPublished()).toContain(
    ` ${(100 * published).toFixed(1)} % of the full test's frames`,
  );

  const { shape, parameters } = decode(read('voice/student.bin'));
  expect(shape).toEqual(results.settings.shape);
  expect(parameters.length).toBe(results.student.parameters);
});
