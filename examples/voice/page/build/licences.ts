import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

/** Packages that are in the page and come with their licence. */
const PACKAGES = [
  '@fontsource/source-serif-4',
  '@preact/signals',
  '@preact/signals-core',
  'preact',
  'uplot',
];

const SOUNDS = `Clips
The clips are mixed from these sounds, and are under CC BY-SA 3.0
(https://creativecommons.org/licenses/by-sa/3.0/legalcode).
Speech: Italian by Carlo Flora, Russian by Maxim Topal, CC BY 3.0
(https://creativecommons.org/licenses/by/3.0/legalcode).
Music: Manolo Camp, Reno Project, CC BY-SA 3.0.

student.bin
The weights have the licence of knowledge-distillation, below. They have no sound in them. They
were trained on these sounds, under CC BY-SA 3.0: English and Spanish speech by Allison Smith,
French speech by June Wallack, music by Paul Shuler (Macroform).`;

const TEACHER = `teacher.onnx, Silero VAD
From the package @ricky0123/vad-web, Copyright (c) 2022-present ricky0123, ISC licence
(https://github.com/ricky0123/vad); its code is not in this page.
The licence of the file (https://github.com/snakers4/silero-vad):`;

const RUNTIME = `ort-wasm-simd-threaded.wasm and worker.js, ONNX Runtime Web
Notices of its parts: https://github.com/microsoft/onnxruntime/blob/main/ThirdPartyNotices.txt`;

/** Writes licences.txt, with the licences of all that the built page redistributes. */
export const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source: collectLicences() });
  },
};

function collectLicences(): string {
  const own = read('../../../../LICENSE');
  /** Returns the terms of the MIT licence, which is this repository's, for other holders. */
  const mit = (holder: string): string => own.replace(/^Copyright .*$/m, `Copyright (c) ${holder}`);
  return [
    SOUNDS,
    `knowledge-distillation\n\n${own}`,
    `${TEACHER}\n\n${mit('2020-present Silero Team')}`,
    `${RUNTIME}\n\n${mit('Microsoft Corporation')}`,
    ...PACKAGES.map((name) => `${name}\n\n${read(`../../node_modules/${name}/LICENSE`)}`),
  ].join(`\n\n${'-'.repeat(80)}\n\n`);
}

function read(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8').trim();
}
