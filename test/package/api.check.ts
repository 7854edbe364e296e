// Compares the public API of each entry point, as in the built declarations, with its report in
// docs/api/. `npm run api` writes an intended change there, so that a review shows it.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { afterAll, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'knowledge-distillation-api-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const { './package.json': _, './wasm/*': __, './worker': ___, ...exported } = manifest.exports;
const entries = Object.values(exported).map((entry) => entry.import.types);
const reportOf = (types: string) => types.replace('./dist/', '').replace('.d.ts', '.api.md');
const folder = join(root, 'docs/api');

function report(types: string): string {
  const name = reportOf(types);
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, types),
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: { module: 'NodeNext', target: 'ES2022', lib: ['ES2022'], types: [] },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        includeForgottenExports: true,
        reportFileName: name,
        reportFolder: scratch,
        reportTempFolder: join(scratch, 'temp'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
  });
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  expect(succeeded).toBe(true);
  return readFileSync(join(scratch, name), 'utf8');
}

test.each(entries)(
  'the API of %s agrees with its report (npm run api writes it)',
  async (types) => {
    await expect(report(types)).toMatchFileSnapshot(join(folder, reportOf(types)));
  },
);

test('every report belongs to an entry point', () => {
  expect(readdirSync(folder).sort()).toEqual(entries.map(reportOf).sort());
});
