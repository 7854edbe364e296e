// The public API of each entry, as the built declarations have it, against the report of it in
// docs/api/. A change that was meant is written there by `npm run api`, and so is seen in review.

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

test.each(entries)('the API of %s is the one reported (npm run api writes it)', async (types) => {
  await expect(report(types)).toMatchFileSnapshot(join(folder, reportOf(types)));
});

test('no report is of an entry that is gone', () => {
  expect(readdirSync(folder).sort()).toEqual(entries.map(reportOf).sort());
});
