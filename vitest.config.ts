import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import type { Plugin } from 'vite';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { servedStore } from './test/store/servedStore.js';

const chromium = process.env.CHROMIUM_PATH; // unset: the browser that playwright installs

/** A page whose content security policy allows scripts, but no WebAssembly. */
const policy: Plugin = {
  name: 'policy',
  configureServer({ middlewares }) {
    middlewares.use('/policy.html', (_, response) => {
      response.setHeader('Content-Security-Policy', "script-src 'self'");
      response.setHeader('Content-Type', 'text/html');
      response.end('<script type="module" src="/test/engine/policy.ts"></script>');
    });
  },
};

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const config: ViteUserConfig = defineConfig({
  test: {
    update: 'none', // but by `npm run api`
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.browser.test.ts', '**/node_modules/**'],
          environment: 'node',
          setupFiles: ['assembly/relaxedSimd.ts'],
          testTimeout: 60_000, // some gradients are checked number by number, on machines that do other work
        },
      },
      {
        extends: true,
        test: {
          name: 'package', // of what `npm run build` left in dist
          include: ['test/package/*.check.ts'],
          environment: 'node',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'duckdb', // of what `npm run test:duckdb` installs
          include: ['test/duckdb/*.check.ts'],
          environment: 'node',
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'runtimes', // of what `npm run test:runtimes` installs
          include: ['test/runtimes/*.check.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'consumers', // of what `npm run build` left in dist, by what `npm run test:consumers` installs
          include: ['test/consumers/*.check.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'app', // of what `npm run example:browser:build` left in examples/browser/dist
          include: ['examples/browser/test/*.check.ts'],
          environment: 'node',
          testTimeout: 120_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        extends: true,
        plugins: [policy, servedStore],
        test: {
          name: 'browser',
          include: ['test/**/*.test.ts'],
          // About files, not about the library; or in need of what only Node can do.
          exclude: ['test/package/**', 'test/**/*.node.test.ts'],
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(chromium ? { executablePath: chromium } : {}),
                args: [
                  '--no-sandbox',
                  '--enable-features=SharedArrayBuffer', // else for cross-origin isolated pages only
                  '--disable-gpu',
                  '--enable-unsafe-webgpu', // in software, as there is no other here
                  '--disable-quic',
                  '--no-first-run',
                  '--disable-background-networking',
                  '--disable-component-update',
                  '--disable-sync',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
  resolve: {
    alias: {
      'knowledge-distillation/testing': pathOf('src/testing/index.ts'),
      'knowledge-distillation/jax': pathOf('src/jax/index.ts'),
      'knowledge-distillation/teachers': pathOf('src/teachers/readers/index.ts'),
      'knowledge-distillation/store': pathOf('src/store/index.ts'),
      'knowledge-distillation/tfjs': pathOf('src/tfjs/index.ts'),
      'knowledge-distillation': pathOf('src/index.ts'),
    },
  },
});

export default config;
