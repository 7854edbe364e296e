import { rmSync } from 'node:fs';
import type { Plugin } from 'vite';
import { createTeacherStore } from '../../src/store/index.js';
import { serveFolder } from './rangeServer.js';
import { textOf } from './support.js';
import { temporaryFolder } from './temporaryFolder.js';

/** Serves a store of 200 texts to the pages of tests, and counts the sent bytes. */
export const servedStore: Plugin = {
  name: 'served store',
  async configureServer({ middlewares, httpServer }) {
    const folder = temporaryFolder();
    httpServer?.once('close', () => rmSync(folder, { recursive: true, force: true }));
    const options = { columns: 20, k: 4, teacher: 'big', chunkRows: 64, shardRows: 400 };
    const store = await createTeacherStore(folder, options);
    for (let i = 0; i < 200; i++) await store.append(`text-${i}`, textOf(i % 3, 1 + (i % 8)));
    await store.close();
    const sent = { ranges: 0, wholeShards: 0 };
    const serve = serveFolder(folder, ({ path, isRange }) => {
      if (isRange) sent.ranges++;
      else if (path.endsWith('.parquet')) sent.wholeShards++;
    });
    middlewares.use('/served-store', (request, response) => {
      if (request.url === '/sent') response.end(JSON.stringify(sent));
      else serve(request, response);
    });
  },
};
