import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import type { Plugin } from 'vite';
import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import { resolve } from '../../vitest.config.js';
import { servedStore } from '../store/servedStore.js';

// The tests of the library in Chromium. They have a configuration of their own, because the root
// installs no driver for browsers.

const chromium = process.env.CHROMIUM_PATH; // unset: playwright's own browser

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

const config: ViteUserConfig = defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  plugins: [policy, servedStore],
  resolve: mergeConfig(resolve, {
    alias: {
      '@tensorflow/tfjs': fileURLToPath(new URL('tensorflow.ts', import.meta.url)),
    },
    // The browser backends are installed in this folder, and register with the TensorFlow.js of the
    // root.
    dedupe: ['@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-core'],
  }),
  test: {
    name: 'browser',
    update: 'none',
    include: ['test/**/*.test.ts'],
    // Tests of files instead of the library, and tests that need Node.
    exclude: ['test/package/**', 'test/**/*.node.test.ts', '**/node_modules/**'],
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
            // without it, only cross-origin isolated pages have it
            '--enable-features=SharedArrayBuffer',
            '--disable-gpu',
            '--enable-unsafe-webgpu', // software WebGPU, since CI has no graphics card
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
});

export default config;
