import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'vite';
import { addLinkTags } from '../../docs/site/build/linkTags.js';
import { prerender } from '../shared/page/prerender.js';
import { digits } from './assets/digits.js';
import { rightOf } from './page/watch.js';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const config: UserConfig = defineConfig({
  root: pathOf('.'),
  base: './', // works from any folder
  plugins: [digits, prerender(pathOf('page/prerender.tsx')), addLinkTags('race')],
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
