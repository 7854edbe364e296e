import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSpeech } from '../../../examples/voice/sounds.js';
import { findViolations } from './support/axe.js';
import { visits } from './support/visits.js';

/** Seconds of speech that the microphone gives; silence follows. */
const SPEECH = 8;

const folder = mkdtempSync(join(tmpdir(), 'voice-'));
const file = join(folder, 'microphone.wav');
beforeAll(() => writeFileSync(file, wavOf(speech())));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { open: visit, forgive } = visits('voice/', {
  switches: [
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${file}%noloop`,
  ],
});

async function open(options?: BrowserContextOptions): Promise<Page> {
  const page = await visit('', options);
  await page.getByTestId('agreement').waitFor(); // the first clip has been heard
  return page;
}

const says = (page: Page, who: string): Promise<string | null> =>
  page.getByLabel(`The ${who} says`).textContent();

async function startMicrophone(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Use your microphone' }).click();
  await page.getByRole('button', { name: 'Stop the microphone' }).waitFor();
}

async function agreement(page: Page): Promise<number> {
  return Number.parseFloat((await page.getByTestId('agreement').textContent()) ?? '');
}

/** Goes to a part of the clip, from 0 to 1, by keys or pointer alike. */
function goTo(page: Page, part: number): Promise<void> {
  return page.getByLabel('Position in the clip').evaluate((slider: HTMLInputElement, place) => {
    slider.value = String(Math.round(place * Number(slider.max)));
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }, part);
}

/** Waits until nobody has heard speech for 1.5 s, which is longer than the pauses in speech. */
async function waitForSilence(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const words = [...document.querySelectorAll('output')];
    const next = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));
    let last = performance.now();
    while (performance.now() - last < 1_500) {
      if (words.some(({ textContent }) => textContent !== 'no speech')) last = performance.now();
      await next();
    }
  });
}

describe('clips', () => {
  test('the student decides as the teacher, before anything is pressed', async () => {
    const page = await open();
    for (const clip of await page.getByRole('radio').all()) {
      await clip.check();
      await expect.poll(() => agreement(page)).toBeGreaterThan(85);
      const heard = new Set<string | null>();
      for (let part = 0; part <= 1; part += 0.02) {
        await goTo(page, part);
        heard.add(await says(page, 'student'));
      }
      expect([...heard].sort()).toEqual(['no speech', 'speech']);
    }
  });

  test('playing moves the place, and the end is announced', async () => {
    const page = await open();
    const place = page.getByLabel('Position in the clip');
    await goTo(page, 0.9);
    const before = Number(await place.inputValue());
    await page.getByRole('button', { name: 'Play the clip' }).click();
    await expect.poll(async () => Number(await place.inputValue())).toBeGreaterThan(before);
    await page.getByText(/^The student hears speech in \d+\u202f% of the frames/).waitFor();
    await page.getByRole('button', { name: 'Play the clip' }).waitFor();
  });

  test('the teacher gives in the browser the answers that were recorded in Node', async () => {
    const page = await open();
    const recorded = await agreement(page);
    await page.getByRole('button', { name: /^Load the teacher/ }).click();
    const loaded = page.getByRole('button', { name: 'The teacher is loaded' });
    await loaded.waitFor();
    expect(await loaded.evaluate((button) => button === document.activeElement)).toBe(true);
    await expect.poll(() => page.getByTestId('time-teacher').textContent()).toMatch(/ ms$/);
    expect(Math.abs((await agreement(page)) - recorded)).toBeLessThanOrEqual(1);
  });
});

describe('microphone', () => {
  test('the student hears speech and silence, and the teacher agrees', async () => {
    const page = await open({ permissions: ['microphone'] });
    await page.getByRole('button', { name: /^Load the teacher/ }).click();
    await page.getByText('It listens in this browser, too.').waitFor();
    await startMicrophone(page);
    await expect.poll(() => says(page, 'student')).toBe('speech');
    await expect.poll(() => says(page, 'teacher')).toBe('speech');
    await waitForSilence(page);
    expect(await says(page, 'student')).toBe('no speech');
    expect(await says(page, 'teacher')).toBe('no speech');
    expect(await agreement(page)).toBeGreaterThan(85);
    await page.getByRole('button', { name: 'Stop the microphone' }).click();
    await page.getByText(/^The microphone is off. The student hears speech in/).waitFor();
  });

  test('it is heard as it is, and stopping releases it', async () => {
    const page = await open({ permissions: ['microphone'] });
    await page.evaluate(() => {
      const { mediaDevices } = navigator;
      const ask = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = async (wish) => {
        const stream = await ask(wish);
        Object.assign(globalThis, { wish, track: stream.getAudioTracks()[0] });
        return stream;
      };
    });
    const state = (): Promise<string> =>
      page.evaluate(() => (globalThis as unknown as { track: MediaStreamTrack }).track.readyState);
    await startMicrophone(page);
    await expect.poll(() => says(page, 'student')).toMatch(/speech/);
    expect(await says(page, 'teacher')).toBe('–');
    expect(await page.getByRole('button', { name: 'Play the clip instead' }).count()).toBe(1);
    expect(await state()).toBe('live');
    expect(await page.evaluate(() => (globalThis as unknown as { wish: unknown }).wish)).toEqual({
      audio: {
        channelCount: 1,
        autoGainControl: false,
        echoCancellation: false,
        noiseSuppression: false,
      },
    });
    await page.getByRole('radio').nth(1).check();
    expect(await state()).toBe('ended');
    await expect.poll(() => says(page, 'teacher')).toMatch(/speech/); // of the clip
  });

  test('a wish for it that is given up releases it, even if it is allowed later', async () => {
    const page = await open({ permissions: ['microphone'] });
    await page.evaluate(() => {
      const tracks: MediaStreamTrack[] = [];
      const allowed: (() => void)[] = [];
      const { mediaDevices } = navigator;
      const ask = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = async (wish) => {
        await new Promise<void>((resolve) => allowed.push(resolve));
        const stream = await ask(wish);
        tracks.push(...stream.getTracks());
        return stream;
      };
      Object.assign(globalThis, { tracks, allowed });
    });
    const allow = (): Promise<void> =>
      page.evaluate(() => {
        const { allowed } = globalThis as unknown as { allowed: (() => void)[] };
        for (const resolve of allowed.splice(0)) resolve();
      });
    const states = (): Promise<string[]> =>
      page.evaluate(() =>
        (globalThis as unknown as { tracks: MediaStreamTrack[] }).tracks.map(
          ({ readyState }) => readyState,
        ),
      );
    const use = page.getByRole('button', { name: 'Use your microphone' });
    await use.click();
    await page.getByRole('radio').nth(1).check();
    await allow();
    await expect.poll(states).toEqual(['ended']);
    await use.click();
    await page.getByRole('radio').nth(2).check();
    await use.click();
    await page.getByRole('button', { name: 'Play the clip' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    await use.click();
    await allow();
    const stop = page.getByRole('button', { name: 'Stop the microphone' });
    await stop.waitFor();
    await expect.poll(states).toEqual(['ended', 'ended', 'ended', 'live']);
    await stop.click();
    await expect.poll(states).toEqual(['ended', 'ended', 'ended', 'ended']);
  });

  test('a student that hears nothing, or fails on the audio thread, is a sentence', async () => {
    const page = await open({ permissions: ['microphone'] });
    const run = (body: string): Promise<void> =>
      page.evaluate((code) => {
        const file = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
        const { prototype } = AudioWorklet;
        const add = Worklet.prototype.addModule;
        prototype.addModule = function () {
          return add.call(this, file);
        };
      }, `registerProcessor('student', class extends AudioWorkletProcessor { process() { ${body} } })`);
    await run('return true;');
    await startMicrophone(page);
    await page.getByRole('button', { name: 'Stop the microphone' }).click();
    await page.getByText('The microphone is off. The student has heard nothing.').waitFor();
    await run('throw new Error("broken");');
    await page.getByRole('button', { name: 'Use your microphone' }).click();
    await page.getByText('The student has stopped.').waitFor();
    await page.getByRole('button', { name: 'Use your microphone' }).waitFor();
    forgive(); // the console reports the error
  });

  test('a refusal is a sentence, and the clips stay', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Use your microphone' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText(/^The browser does not let this page use the microphone/).waitFor();
    expect(await agreement(page)).toBeGreaterThan(85);
    await page.getByRole('button', { name: 'Play the clip' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
  });

  test('a browser without AudioWorklet, or without a device, is told so', async () => {
    const page = await open({ permissions: ['microphone'] });
    const microphone = page.getByRole('button', { name: 'Use your microphone' });
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException('none', 'NotFoundError'));
    });
    await microphone.click();
    await page.getByText('This device has no microphone.').waitFor();
    await page.evaluate(() => {
      delete (BaseAudioContext.prototype as { audioWorklet?: unknown }).audioWorklet;
    });
    await microphone.click();
    await page.getByText(/^This browser gives no microphone to this page/).waitFor();
  });
});

test('a teacher that does not load is a sentence, and can be asked for again', async () => {
  const page = await open({ serviceWorkers: 'block' }); // it would fetch past the route
  await page.route('**/*.onnx', (route) => route.abort());
  await page.getByRole('button', { name: /^Load the teacher/ }).click();
  await page.getByText(/^The teacher could not be loaded/).waitFor();
  forgive(); // the console reports what was blocked
  await page.unroute('**/*.onnx');
  await page.getByRole('button', { name: /^Load the teacher/ }).click();
  await page.getByRole('button', { name: 'The teacher is loaded' }).waitFor();
});

test('a teacher that dies is a sentence, and can be asked for again', async () => {
  const page = await open();
  const load = page.getByRole('button', { name: /^Load the teacher/ });
  const loaded = page.getByRole('button', { name: 'The teacher is loaded' });
  await load.click();
  await loaded.waitFor();
  await page.workers()[0]!.evaluate(() => {
    setTimeout(() => {
      throw new Error('broken');
    });
  });
  await page.getByText(/^The teacher has stopped/).waitFor();
  forgive(); // the page reports the error
  await load.click();
  await loaded.waitFor();
});

test('a clip that the server does not have is a sentence, and shows no other one’s numbers', async () => {
  const page = await open({ serviceWorkers: 'block' }); // it would fetch past the route
  await page.route('**/clip-1*', (route) => route.fulfill({ status: 404 }));
  await page.getByRole('radio').nth(1).check();
  await page.getByText(/^The clip could not be loaded \(404/).waitFor();
  expect(await page.getByTestId('agreement').count()).toBe(0);
  expect(await says(page, 'student')).toBe('–');
  forgive(); // the console reports the missing file
});

describe('the page', () => {
  const sizes = [
    { width: 1280, height: 900 },
    { width: 390, height: 844 },
    { width: 320, height: 640 },
  ];
  test('fits, and is accessible, in both colour schemes', async () => {
    const page = await open();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const size of sizes) {
        await page.setViewportSize(size);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(size.width);
        expect(await findViolations(page)).toEqual([]);
      }
    }
  });

  test('links to the licences of what it redistributes', async () => {
    const page = await open();
    const href = await page.getByRole('link', { name: 'All licences' }).getAttribute('href');
    const file = await page.request.get(new URL(href!, page.url()).href);
    const text = await file.text();
    for (const holder of [
      'Silero Team',
      'Microsoft Corporation',
      'Allison Smith',
      'Leon Sorokin',
    ]) {
      expect(text).toContain(holder);
    }
  });

  test('the keyboard chooses a clip, plays it and goes through it', async () => {
    const page = await open();
    await page.getByRole('link', { name: 'Race' }).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('radio').nth(1).isChecked()).toBe(true);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter'); // the button that has the focus now says Pause
    await page.getByRole('button', { name: 'Play the clip' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const place = page.getByLabel('Position in the clip');
    const before = Number(await place.inputValue());
    await page.keyboard.press('ArrowRight');
    expect(Number(await place.inputValue())).toBe(before + 1);
    expect(await place.getAttribute('aria-valuetext')).toMatch(
      /^\d+\.\d seconds, teacher: (no )?speech, student: (no )?speech$/,
    );
  });

  test('without a network it opens again, and the student still hears every clip', async () => {
    const page = await open({ permissions: ['microphone'] });
    const kept = (): Promise<string[]> =>
      page.evaluate(async () => {
        const stores = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
        const requests = await Promise.all(stores.map((store) => store.keys()));
        return requests.flat().map(({ url }) => url.replace(/.*\/|-[^-]*$/g, ''));
      });
    const files = ['clip-0', 'clip-1', 'clip-2', 'student', 'worklet'];
    await expect.poll(kept).toEqual(expect.arrayContaining(files));
    await page.context().setOffline(true);
    await page.reload();
    await page.getByTestId('agreement').waitFor();
    await page.getByRole('radio').nth(2).check();
    await expect.poll(() => agreement(page)).toBeGreaterThan(85);
    await startMicrophone(page);
    await page.getByRole('button', { name: 'Stop the microphone' }).click();
  });
});

/**
 * Speech of a voice that the student has not heard in training, without long pauses, and a second of
 * silence, whose end Chromium repeats.
 */
function speech(): Float32Array {
  const clips: number[] = [];
  for (const recording of readSpeech('it')) {
    if (clips.length > SPEECH * 8_000) break;
    clips.push(...recording);
  }
  const sound = new Float32Array((SPEECH + 1) * 8_000);
  sound.set(clips.slice(0, SPEECH * 8_000));
  return sound;
}

/** Returns a WAV file with one channel of 16 bits at 8 kHz. */
function wavOf(sound: Float32Array): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + 2 * sound.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // integers
  header.writeUInt16LE(1, 22); // channel
  header.writeUInt32LE(8_000, 24);
  header.writeUInt32LE(16_000, 28); // bytes a second
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(2 * sound.length, 40);
  const samples = Int16Array.from(sound, (sample) => Math.round(sample * 32_767));
  return Buffer.concat([header, Buffer.from(samples.buffer)]);
}
