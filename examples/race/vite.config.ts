import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin, runnerImport, type UserConfig } from 'vite';
import { addLinkTags } from '../../docs/site/build/linkTags.js';
import { digits } from './assets/digits.js';
import { rightOf } from './page/watch.js';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/**
 * Renders the first state of the page into index.html, so that it is visible before a script runs.
 */
const prerender: Plugin = {
  name: 'prerender',
  transformIndexHtml: {
    order: 'pre',
    handler: async (html) => {
      const entry = pathOf('page/prerender.tsx');
      const { module } = await runnerImport<{ html: string }>(entry);
      return html.replace('<!-- app -->', module.html);
    },
  },
};

const config: UserConfig = defineConfig({
  root: pathOf('.'),
  base: './', // works from any folder
  plugins: [digits, prerender, addLinkTags('race')],
  resolve: {
    alias: {
      'knowledge-distillation/tfjs': pathOf('../../src/tfjs/index.ts'),
      'knowledge-distillation': pathOf('../../src/index.ts'),
    },
  },
  define: {
    'import.meta.env.RIGHT_WITH_LABELS': JSON.stringify(rightOf('Labels only')),
    'import.meta.env.RIGHT_WITH_ANSWERS': JSON.stringify(rightOf('The teacher’s answers')),
  },
  worker: { format: 'es' },
  build: { target: 'es2022', outDir: pathOf('../../docs/site/dist/race'), emptyOutDir: true },
});

export default config;
