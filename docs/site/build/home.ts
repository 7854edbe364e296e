import { drawCurves } from './curves.js';
import { LIVE } from './live.js';
import { read, writePage } from './repository.js';

/** Writes the home page: the package's sentence, the race, the README's first code, live pages. */
export function writeHome(): void {
  const { description } = JSON.parse(read('package.json'));
  const [code] = /^```ts\n[\s\S]*?^```$/m.exec(read('README.md')) ?? [];
  if (!code) throw new Error('README.md has no code');
  const links = LIVE.map(
    ({ title, path, about }) => `- <a href="./${path}" target="_self">${title}</a>: ${about}`,
  ).join('\n');
  writePage(
    'index',
    'README.md',
    `
<main class="front">
<div class="front-words">

# knowledge-distillation

${description}

<p class="front-links">
<a class="primary" href="./race/index.html" target="_self">Watch two students race</a>
<a href="./start.html">Start</a>
<a href="./choose.html">Which loss?</a>
</p>

</div>
<div class="front-picture">
<a href="./race/index.html" target="_self">${drawCurves()}</a>

Two small networks learn to read digits. One hears the labels of 300 images. The other hears only a teacher’s answers, and no label. <a href="./race/index.html" target="_self">Race them</a> in your browser.

</div>
<div class="front-code">

${code}

</div>
<div class="front-live">

## Live, in your browser

${links}

</div>
</main>
`,
    'layout: home\ntitle: knowledge-distillation\ntitleTemplate: Losses with exact gradients\n',
  );
}
