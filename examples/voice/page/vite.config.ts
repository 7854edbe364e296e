import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'vite';
import { addLinkTags } from '../../../docs/site/build/linkTags.js';
import { prerender } from '../../shared/page/prerender.js';
import { assets } from './build/assets.js';
import { licences } from './build/licences.js';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const files = assets();

const config: UserConfig = defineConfig({
  root: pathOf('.'),
  base: './', // works from any folder
  plugins: [files, prerender(pathOf('prerender.tsx'), [files]), licences, addLinkTags('voice')],
  worker: { format: 'es' },
  build: { target: 'es2022', outDir: pathOf('../../../docs/site/dist/voice'), emptyOutDir: true },
});

export default config;
