import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const chromium = process.env.CHROMIUM_PATH; // unset: the browser that playwright installs

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          environment: 'node',
          setupFiles: ['assembly/relaxedSimd.ts'],
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
          name: 'browser',
          include: ['test/**/*.test.ts'],
          // About files, not about the library; or in need of what only Node can do.
          exclude: ['test/package/**', 'test/**/*.node.test.ts'],
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
      'knowledge-distillation/testing': new URL('src/testing/index.ts', import.meta.url).pathname,
      'knowledge-distillation/jax': new URL('src/jax/index.ts', import.meta.url).pathname,
      'knowledge-distillation/tfjs': new URL('src/tfjs/index.ts', import.meta.url).pathname,
      'knowledge-distillation': new URL('src/index.ts', import.meta.url).pathname,
    },
  },
});

export default config;
