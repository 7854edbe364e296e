import { defineConfig, type Plugin, runnerImport, type UserConfig } from 'vite';
import { digits } from './assets/digits.js';

/** Puts the page as it first looks into index.html, so that it is there before any script is. */
const prerender: Plugin = {
  name: 'prerender',
  transformIndexHtml: {
    order: 'pre',
    handler: async (html) => {
      const entry = new URL('page/prerender.tsx', import.meta.url).pathname;
      const { module } = await runnerImport<{ html: string }>(entry);
      return html.replace('<!-- app -->', module.html);
    },
  },
};

const config: UserConfig = defineConfig({
  root: new URL('.', import.meta.url).pathname,
  base: './', // works from any folder
  plugins: [digits, prerender],
  resolve: {
    alias: {
      'knowledge-distillation/tfjs': new URL('../../src/tfjs/index.ts', import.meta.url).pathname,
      'knowledge-distillation': new URL('../../src/index.ts', import.meta.url).pathname,
    },
  },
  worker: { format: 'es' },
  build: { target: 'es2022' },
});

export default config;
