import { read, writePage } from './repository.js';

/** Writes the home page: the package's sentence, the README's first code, the app's picture. */
export function writeHome(): void {
  const { description } = JSON.parse(read('package.json'));
  const [code] = /^```ts\n[\s\S]*?^```$/m.exec(read('README.md')) ?? [];
  if (!code) throw new Error('README.md has no code');
  const picture = (scheme: string) =>
    `<img class="${scheme}-only" src="examples/race/screenshots/${scheme}.png" alt="The app of examples/race: a student learns digits from its teacher in the page." width="1280" height="800">`;
  writePage(
    'index',
    'README.md',
    `
<main class="front">
<div class="front-words">

# knowledge-distillation

${description}

<p class="front-links">
<a class="primary" href="./start.html">Start</a>
<a href="./choose.html">Which loss?</a>
<a href="./reference/index.html">Reference</a>
</p>

</div>
<div class="front-picture">

${picture('light')}
${picture('dark')}

A student learns digits from a teacher, in the page: [examples/race](examples/race/README.md).

</div>
<div class="front-code">

${code}

</div>
</main>
`,
    'layout: home\ntitle: knowledge-distillation\ntitleTemplate: Losses with exact gradients\n',
  );
}
