import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { Announcer } from './announcer.js';
import { Attention } from './attention.js';
import { Bar } from './bar.js';
import { CodePanel } from './codePanel.js';
import { Curve } from './curve.js';
import type { Drawing } from './drawing.js';
import { LaneCard } from './lane.js';
import { Pad } from './pad.js';
import type { Race } from './race.js';
import { RecipePanel } from './recipe.js';
import { refusal } from './storage.js';
import { TeacherCard } from './teacher.js';

export interface AppProps {
  readonly race: Race;
  readonly drawing: Signal<Drawing>;
  /** One held-out image of each digit; undefined until they are decoded. */
  readonly samples: Signal<readonly Float32Array[] | undefined>;
}

export function App(props: AppProps): JSX.Element {
  const { race } = props;
  return (
    <>
      <Header />
      <main>
        <Bar race={race} />
        <div class="ask">
          <div class="question">
            <Pad {...props} />
            <TeacherCard race={race} />
          </div>
          <div class="students">
            <LaneCard race={race} lane="labels" />
            <LaneCard race={race} lane="taught" />
          </div>
        </div>
        <div class="learn">
          <RecipePanel {...props} />
          <Curve race={race} />
        </div>
        <CodePanel race={race} />
        <Attention race={race} />
      </main>
      <Footer />
      <Announcer race={race} />
    </>
  );
}

function Header(): JSX.Element {
  return (
    <header>
      <nav aria-label="Site">
        <a href="../">Documentation</a>
        <a href="../laboratory.html">Laboratory</a>
        <a href="../benchmark.html">Benchmark</a>
        <a href="../voice/">Voice</a>
      </nav>
      <h1>Zero labels beat 300 labels</h1>
      <p class="lead">
        Two small networks learn to read digits. One gets{' '}
        <b class="labels">300 labels: about 73&#8239;% right.</b> The other gets no label, only the
        answers of a big network, its <b class="teacher">teacher</b>:{' '}
        <b class="taught">about 93&#8239;% right.</b> Draw a digit, and watch them race.
      </p>
    </header>
  );
}

function Footer(): JSX.Element {
  return (
    <footer>
      <p>
        The teacher learned from 8,000 labelled digits; its students have a fifth of its size.
        Losses and gradients come from the library <a href="../">knowledge-distillation</a>.
        Everything is computed on your device; nothing that you draw leaves it.
      </p>
      {refusal.value && (
        <p>This browser keeps nothing for this page: a reload starts over ({refusal.value}).</p>
      )}
    </footer>
  );
}
