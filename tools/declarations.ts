// Lets the declarations of ./testing compile without fast-check, which `checkGradient` does not
// need: its types are `any` where it is not installed. The bundler of declarations drops comments
// of the sources, so that this one is put in after the build.

import { readFileSync, writeFileSync } from 'node:fs';

for (const name of ['testing.d.ts', 'testing.d.cts']) {
  const file = new URL(`../dist/${name}`, import.meta.url);
  const text = readFileSync(file, 'utf8');
  const imports = /^import .* from 'fast-check';$/gm;
  if (!imports.test(text)) throw new Error(`${name} imports no fast-check: this step can go`);
  writeFileSync(file, text.replace(imports, '// @ts-ignore fast-check is optional\n$&'));
}
