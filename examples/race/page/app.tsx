import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { Announcer } from './announcer.js';
import { Answers } from './answers.js';
import { Attention } from './attention.js';
import { Controls } from './controls.js';
import { Curve } from './curve.js';
import type { Drawing } from './drawing.js';
import { Pad } from './pad.js';
import { RecipePanel } from './recipe.js';
import { refusal } from './storage.js';
import type { Trainer } from './trainer.js';

export interface AppProps {
  readonly trainer: Trainer;
  readonly drawing: Signal<Drawing>;
}

export function App({ trainer, drawing }: AppProps): JSX.Element {
  return (
    <>
      <header>
        <p class="eyebrow">Knowledge distillation, live in your browser</p>
        <h1>A small network learns from a big one</h1>
        <p class="lead">
          The <b class="teacher">teacher</b> can read handwritten digits. The{' '}
          <b class="student">student</b> is a fifth of its size, and cannot yet. Draw a digit, press{' '}
          <i>Train</i>, and watch the student’s answers become the teacher’s.
        </p>
      </header>
      <main>
        <div class="ask">
          <Pad trainer={trainer} drawing={drawing} />
          <Answers trainer={trainer} />
        </div>
        <Controls trainer={trainer} />
        <div class="learn">
          <Curve trainer={trainer} />
          <RecipePanel trainer={trainer} />
        </div>
        <Attention trainer={trainer} />
      </main>
      <footer>
        <p>
          Losses and gradients: <code>knowledge-distillation</code>. Everything is computed on your
          device, in a worker; nothing that you draw leaves it.
        </p>
        {refusal.value && (
          <p>
            This browser keeps nothing for this page, so that a reload starts over ({refusal.value}
            ).
          </p>
        )}
      </footer>
      <Announcer trainer={trainer} />
    </>
  );
}
