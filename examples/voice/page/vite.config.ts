import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin, runnerImport, type UserConfig } from 'vite';
import { addLinkTags } from '../../../docs/site/build/linkTags.js';
import { assets } from './build/assets.js';
import { licences } from './build/licences.js';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const files = assets();

/**
 * Renders the first state of the page into index.html, so that it is visible before a script runs.
 */
const prerender: Plugin = {
  name: 'prerender',
  transformIndexHtml: {
    order: 'pre',
    handler: async (html) => {
      const entry = pathOf('prerender.tsx');
      const { module } = await runnerImport<{ html: string }>(entry, { plugins: [files] });
      return html.replace('<!-- app -->', module.html);
    },
  },
};

const config: UserConfig = defineConfig({
  root: pathOf('.'),
  base: './', // works from any folder
  plugins: [files, prerender, licences, addLinkTags('voice')],
  worker: { format: 'es' },
  build: { target: 'es2022', outDir: pathOf('../../../docs/site/dist/voice'), emptyOutDir: true },
});

export default config;
