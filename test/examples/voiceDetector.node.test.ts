import { describe, expect, test } from 'vitest';
import { Random } from '../../examples/shared/random.js';
import { Detector } from '../../examples/voice/detector/detector.js';
import {
  BANDS,
  FRAME,
  LogMel,
  logMel,
  SAMPLE_RATE,
} from '../../examples/voice/detector/features.js';
import {
  countParameters,
  QUICK_STUDENT,
  type Shape,
  STUDENT,
  type Student,
} from '../../examples/voice/detector/layout.js';
import { Model, sigmoid } from '../../examples/voice/detector/model.js';
import { Resampler } from '../../examples/voice/detector/resampler.js';
import { decode, encode } from '../../examples/voice/detector/weights.js';
import { decodeMuLaw, encodeMuLaw } from '../../examples/voice/page/sound/muLaw.js';
import { decodeRecording, encodeRecording } from '../../examples/voice/page/sound/recording.js';

function noise(length: number, deviation: number, seed = 1): Float32Array {
  const random = new Random(seed, 'noise');
  return Float32Array.from({ length }, () => deviation * random.normal());
}

function randomStudent(shape: Shape): Student {
  return { shape, parameters: noise(countParameters(shape), 0.3, 2) };
}

describe('features', () => {
  test('bands are those of a plain double loop', () => {
    const samples = noise(2 * FRAME, 0.1);
    const expected = [...naiveBands(samples, 0), ...naiveBands(samples, FRAME)];
    const bands = logMel(samples);
    expect(bands).toHaveLength(2 * BANDS);
    for (const [i, band] of bands.entries()) expect(band).toBeCloseTo(expected[i]!, 5);
  });

  test('white noise has its variance in every band, and silence the floor', () => {
    const frames = 400;
    const bands = logMel(noise(frames * FRAME, 0.1));
    for (let band = 0; band < BANDS; band++) {
      let mean = 0;
      for (let frame = 0; frame < frames; frame++) {
        mean += Math.exp(bands[frame * BANDS + band]! * 4 - 11) / frames;
      }
      expect(mean / 0.01).toBeGreaterThan(0.8);
      expect(mean / 0.01).toBeLessThan(1.2);
    }
    const silence = new Float32Array(BANDS);
    new LogMel().write(new Float32Array(FRAME), 0, silence, 0);
    for (const band of silence) expect(band).toBeCloseTo((Math.log(1e-8) + 11) / 4, 5);
  });

  test('a tone above what telephones carry is not heard', () => {
    const tone = (hertz: number): Float32Array =>
      Float32Array.from({ length: FRAME }, (_, i) =>
        Math.sin((2 * Math.PI * hertz * i) / SAMPLE_RATE),
      );
    const loudest = (hertz: number): number => Math.max(...logMel(tone(hertz)));
    expect(loudest(1_000)).toBeGreaterThan(2.5);
    expect(loudest(5_000)).toBeLessThan(-0.5);
  });
});

/** The bands of a frame by their definition, without a fast transform. */
function naiveBands(samples: Float32Array, start: number): number[] {
  const window = Array.from(
    { length: FRAME },
    (_, i) => Math.sin((Math.PI * (i + 0.5)) / FRAME) ** 2,
  );
  const energy = window.reduce((sum, value) => sum + value * value, 0);
  const toMel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
  const edges = Array.from({ length: BANDS + 2 }, (_, i) => {
    const place = toMel(60) + (i * (toMel(3_800) - toMel(60))) / (BANDS + 1);
    return 700 * (10 ** (place / 2595) - 1);
  });
  const power = Array.from({ length: FRAME / 2 + 1 }, (_, k) => {
    let [real, imaginary] = [0, 0];
    for (let i = 0; i < FRAME; i++) {
      real += window[i]! * samples[start + i]! * Math.cos((2 * Math.PI * k * i) / FRAME);
      imaginary += window[i]! * samples[start + i]! * Math.sin((2 * Math.PI * k * i) / FRAME);
    }
    return (real * real + imaginary * imaginary) / energy;
  });
  return Array.from({ length: BANDS }, (_, band) => {
    const [left, peak, right] = [edges[band]!, edges[band + 1]!, edges[band + 2]!];
    let [sum, total] = [0, 0];
    for (let k = 0; k < power.length; k++) {
      const hertz = (k * SAMPLE_RATE) / FRAME;
      const weight = Math.min((hertz - left) / (peak - left), (right - hertz) / (right - peak));
      if (weight <= 0) continue;
      sum += weight * power[k]!;
      total += weight;
    }
    return (Math.log(sum / total + 1e-8) + 11) / 4;
  });
}

describe('model', () => {
  test('sizes are the published ones', () => {
    expect(countParameters(STUDENT)).toBe(12_161);
    expect(countParameters(QUICK_STUDENT)).toBe(2_225);
  });

  test.each([STUDENT, QUICK_STUDENT, { width: 3, blocks: 1 }])(
    'frame by frame it gives the logits of a plain convolution over the whole sound (%o)',
    (shape) => {
      const frames = 150;
      const student = randomStudent(shape);
      const bands = noise(frames * BANDS, 1, 3);
      const expected = naiveLogits(student, bands);
      const model = new Model(student);
      const run = (): number[] =>
        Array.from({ length: frames }, (_, frame) => model.step(bands, frame * BANDS));
      const scale = Math.max(...expected.map(Math.abs));
      const first = run();
      for (const [i, logit] of first.entries()) {
        expect(logit / scale).toBeCloseTo(expected[i]! / scale, 5);
      }
      model.reset();
      expect(run()).toEqual(first);
    },
  );
});

/** The logits of a whole sound, layer by layer, each over all frames. */
function naiveLogits(
  { shape: { width, blocks }, parameters }: Student,
  bands: Float32Array,
): number[] {
  let place = 0;
  const take = (rows: number, columns: number): number[][] =>
    Array.from({ length: rows }, () => {
      place += columns;
      return [...parameters.subarray(place - columns, place)];
    });
  const linear = (rows: number[][], weights: number[][], bias: number[]): number[][] =>
    rows.map((row) =>
      weights.map((column, j) => column.reduce((sum, w, i) => sum + w * row[i]!, bias[j]!)),
    );
  const relu = (rows: number[][]): number[][] =>
    rows.map((row) => row.map((value) => Math.max(value, 0)));

  const frames = Array.from({ length: bands.length / BANDS }, (_, t) => [
    ...bands.subarray(t * BANDS, (t + 1) * BANDS),
  ]);
  let x = linear(frames, take(width, BANDS), take(1, width)[0]!);
  for (let block = 0; block < blocks; block++) {
    const depth = take(width, 3);
    const depthBias = take(1, width)[0]!;
    const deep = x.map((_, t) =>
      depth.map((kernel, channel) =>
        kernel.reduce(
          (sum, weight, tap) => sum + weight * (x[t - (2 - tap) * 2 ** block]?.[channel] ?? 0),
          depthBias[channel]!,
        ),
      ),
    );
    const added = linear(relu(deep), take(width, width), take(1, width)[0]!);
    x = x.map((row, t) => row.map((value, channel) => value + added[t]![channel]!));
  }
  return linear(x, take(1, width), take(1, 1)[0]!).map(([logit]) => logit!);
}

describe('weights', () => {
  test.each([STUDENT, QUICK_STUDENT])('a file gives each number back to half a step', (shape) => {
    const student = randomStudent(shape);
    student.parameters.fill(0, 0, 40 * BANDS); // a tensor of zeros has no scale
    const file = encode(student);
    const read = decode(file);
    expect(read.shape).toEqual(shape);
    // The largest number of any tensor has at most 5 deviations of 0.3.
    const halfStep = (5 * 0.3) / 127 / 2;
    read.parameters.forEach((value, i) => {
      expect(Math.abs(value - student.parameters[i]!)).toBeLessThan(halfStep);
    });
    expect(encode(read)).toEqual(file);
  });

  test('the file of the page has 12,277 bytes, and a cut one is refused', () => {
    const file = encode(randomStudent(STUDENT));
    expect(file).toHaveLength(12_277);
    expect(() => decode(file.subarray(1_000))).toThrow(RangeError);
    expect(() => decode(file.slice(0, -1))).toThrow(
      'a student of width 40 with 6 blocks has 12277 bytes, got 12276',
    );
    expect(() => decode(new Uint8Array(0))).toThrow(RangeError);
  });
});

describe('streams', () => {
  function resample(samples: Float32Array, from: number, to: number): number[] {
    const heard: number[] = [];
    new Resampler(from, to).push(samples, (sample) => heard.push(sample));
    return heard;
  }

  const tone = (hertz: number, rate: number, seconds = 0.5): Float32Array =>
    Float32Array.from({ length: rate * seconds }, (_, i) =>
      Math.sin((2 * Math.PI * hertz * i) / rate),
    );

  test.each([8_000, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000])(
    'a tone of 1 kHz at %d Hz is the same tone at 16 kHz',
    (rate) => {
      const heard = resample(tone(1_000, rate), rate, SAMPLE_RATE);
      expect(Math.abs(heard.length - SAMPLE_RATE / 2)).toBeLessThanOrEqual(1);
      // Two samples a quarter of a period apart give the amplitude at any delay.
      const middle = heard.slice(2_000, 6_000);
      const quarter = SAMPLE_RATE / 1_000 / 4;
      for (let i = quarter; i < middle.length; i++) {
        expect(Math.hypot(middle[i]!, middle[i - quarter]!)).toBeCloseTo(1, 2);
      }
    },
  );

  test('what 16 kHz cannot carry does not come back as a lower tone', () => {
    for (const hertz of [9_000, 12_000, 15_000, 20_000]) {
      const heard = resample(tone(hertz, 48_000), 48_000, SAMPLE_RATE).slice(2_000, 6_000);
      expect(Math.max(...heard.map(Math.abs))).toBeLessThan(0.002);
    }
  });

  test.each([1, 128, 1_000])(
    'a detector fed %d samples at a time hears the whole sound',
    (size) => {
      const student = randomStudent(QUICK_STUDENT);
      const sound = noise(20 * FRAME, 0.1);
      const heard: number[] = [];
      const detector = new Detector(student, 48_000, (probability) => heard.push(probability));
      for (let i = 0; i < sound.length; i += size) detector.push(sound.subarray(i, i + size));

      const bands = logMel(Float32Array.from(resample(sound, 48_000, SAMPLE_RATE)));
      const model = new Model(student);
      expect(heard).toHaveLength(6);
      heard.forEach((probability, frame) => {
        expect(probability).toBe(sigmoid(model.step(bands, frame * BANDS)));
      });
    },
  );
});

describe('recordings', () => {
  test('mu-law has the published codes', () => {
    // G.711: silence, full scale, and the ends of the segments, in steps of 14 bits.
    const codes = [
      [0, 0xff],
      [8158, 0x80],
      [-8158, 0x00],
      [1, 0xfe],
      [-1, 0x7e],
      [30, 0xf0],
      [32, 0xef],
      [4063, 0x8f],
      [-4063, 0x0f],
    ] as const;
    for (const [step, code] of codes) expect(encodeMuLaw(step / 8192)).toBe(code);
    for (let code = 0; code < 256; code++) {
      if (code !== 0x7f) expect(encodeMuLaw(decodeMuLaw(code))).toBe(code); // 0x7f is −0
    }
  });

  test('a sound comes back from a clip, but for what 8 kHz cannot carry', () => {
    const sound = Float32Array.from(
      { length: 40 * FRAME },
      (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / SAMPLE_RATE),
    );
    const heard = decodeRecording(encodeRecording(sound));
    expect(Math.abs(heard.length - sound.length)).toBeLessThanOrEqual(2);
    const power = (values: Float32Array): number =>
      values.reduce((sum, value) => sum + value * value, 0) / values.length;
    const middle = heard.subarray(5 * FRAME, 35 * FRAME);
    expect(power(middle)).toBeCloseTo(0.125, 2);
    const bands = logMel(middle);
    logMel(sound.subarray(0, 30 * FRAME)).forEach((band, i) => {
      if (band > 2) expect(bands[i]).toBeCloseTo(band, 1); // the bands of the tone itself
    });
  });
});
