import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergeConfig } from 'vite';
import { defineConfig } from 'vitepress';
import { resolve } from '../../../vitest.config.js';
import { describe } from '../build/description.js';
import { linkTags, siteUrl } from '../build/linkTags.js';
import { LIVE } from '../build/live.js';
import { extendMarkdown } from '../build/markdown.js';
import { accessibleSearch } from '../build/search.js';

const manifest = JSON.parse(
  readFileSync(new URL('../pages/manifest.json', import.meta.url), 'utf8'),
);

const DESCRIPTION =
  'Train a small model from a big one, in TypeScript: losses with exact gradients.';
/** Pages of the sitemap that VitePress does not build. */
const APPS = LIVE.map(({ path }) => path)
  .filter((path) => path.endsWith('/index.html'))
  .map((path) => ({ url: path.replace('index.html', ''), links: [] }));
/** A large circle and a small one. */
const ICON =
  'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="%233451b2"%3E%3Ccircle cx="6" cy="6" r="6"/%3E%3Ccircle cx="13" cy="13" r="3"/%3E%3C/svg%3E';

export default defineConfig({
  title: 'knowledge-distillation',
  description: DESCRIPTION,
  lang: 'en',
  base: './', // so that the site works from any folder of any host
  head: [['link', { rel: 'icon', href: ICON }]],
  transformPageData: ({ description, filePath }, { siteConfig: { srcDir } }) => ({
    description:
      description || describe(readFileSync(join(srcDir, filePath), 'utf8')) || DESCRIPTION,
  }),
  transformHead: ({ page, title, description }) => {
    const path = page.replace(/\.md$/, '.html');
    const name = page.replace(/\.md$/, '');
    const hasOwn = existsSync(new URL(`../pictures/${name}.png`, import.meta.url));
    return linkTags({ path, title, description, picture: hasOwn ? name : 'site' });
  },
  ...(siteUrl
    ? { sitemap: { hostname: siteUrl, transformItems: (items) => [...items, ...APPS] } }
    : {}),
  srcDir: 'pages',
  outDir: 'dist',
  markdown: {
    // As GitHub makes anchors, so that links between headings work in both places.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
          .replaceAll(' ', '-'),
    },
    config: (md) => extendMarkdown(md, manifest.pages),
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  vite: {
    plugins: [accessibleSearch],
    resolve: mergeConfig(resolve, {
      // The WebGL backend is installed in this folder, and registers with the root's TensorFlow.js.
      dedupe: ['@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-core'],
    }),
    worker: { format: 'es' }, // workers load code on demand, too
    build: { chunkSizeWarningLimit: 3000 }, // the index of the search
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Which loss?', link: '/choose', activeMatch: '/choose' },
      {
        text: 'Live',
        items: LIVE.map(({ title, path }) => ({ text: title, link: `/${path}`, target: '_self' })),
      },
      { text: 'Strategies', link: '/strategies/', activeMatch: '/strategies/' },
      { text: 'Guides', link: '/guides/choosing', activeMatch: '/guides/' },
      {
        text: 'Examples',
        link: manifest.sidebar['/examples/'][0].items[0].link,
        activeMatch: '/examples/',
      },
      { text: 'Reference', link: '/reference/', activeMatch: '/reference/' },
      { text: 'Project', link: '/project/speed', activeMatch: '/(project|decisions)/' },
    ],
    sidebar: manifest.sidebar,
    outline: { level: [2, 3], label: 'On this page' },
    search: {
      provider: 'local',
      options: {
        detailedView: true,
        miniSearch: {
          options: {
            // Without the words that say nothing. VitePress writes this function into the page, and
            // the one below: they can use nothing else.
            processTerm: (term: string) =>
              /^(an?|the|of|to|for|in|is|do|i|and|or)$/i.test(term) ? null : term.toLowerCase(),
          },
          searchOptions: {
            // The measurements first for words about speed, and guides first for all others.
            boostDocument: (id: string, term: string) => {
              const isSpeed = /^(speed|fast|faster|benchmark)$/.test(term);
              if (isSpeed && /^\/project\/speed/.test(id)) return 100;
              if (/^\/(guides|choose)/.test(id)) return 3;
              if (/^\/(strategies|start)/.test(id)) return 2;
              return /^\/(reference|project\/changelog)/.test(id) ? 0.3 : 1;
            },
          },
        },
      },
    },
    externalLinkIcon: false,
    docFooter: { prev: 'Previous', next: 'Next' },
  },
});
