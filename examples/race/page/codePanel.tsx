import type { JSX } from 'preact';
import { codeOf } from './code.js';
import { Copy } from './copy.js';
import type { Race } from './race.js';

/** The code that creates the loss of the present recipe, folded. */
export function CodePanel({ race }: { readonly race: Race }): JSX.Element {
  const code = codeOf(race.recipe.value);
  return (
    <details class="card code">
      <summary>
        <h2>Show the code for this recipe</h2>
      </summary>
      <p>
        TypeScript or JavaScript, in Node or a page. <a href="../start.html">Start</a> says how to
        install the library.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it sideways */}
      <section class="listing" tabIndex={0} aria-label="Code for this recipe">
        <pre>{code}</pre>
      </section>
      <Copy
        label="Copy the code"
        text={() => code}
        copied="Copied."
        refused="The browser refused. Select the code and copy it."
      />
      <p>
        <code>student</code> and <code>teacher</code> hold what both networks put out for a batch.
        The gradient goes into the backward pass of the student:{' '}
        <a href="../guides/training.html">a complete training loop</a>. Another task?{' '}
        <a href="../choose.html">Which loss?</a>
      </p>
    </details>
  );
}
