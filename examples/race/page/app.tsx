import type { JSX } from 'preact';
import { RESULTS } from '../results.js';
import { Announcer } from './announcer.js';
import { Attention } from './attention.js';
import { Bar } from './bar.js';
import { CodePanel } from './codePanel.js';
import { Curve } from './curve.js';
import { formatCount } from './format.js';
import { LaneCard } from './lane.js';
import { Pad } from './pad.js';
import type { AppProps } from './props.js';
import { RecipePanel } from './recipe.js';
import { refusal } from './storage.js';
import { TeacherCard } from './teacher.js';
import { rightOf } from './watch.js';

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
      <p class="eyebrow">Knowledge distillation, live in your browser</p>
      <h1>Zero labels beat 300 labels</h1>
      <p class="lead">
        Two small networks learn to read digits. One gets{' '}
        <b class="labels">
          {RESULTS.facts.labelledImages} labels: about {rightOf('Labels only')} right.
        </b>{' '}
        The other gets no label, only the answers of a big network, its{' '}
        <b class="teacher">teacher</b>, for {formatCount(RESULTS.facts.images)} images:{' '}
        <b class="taught">about {rightOf('The teacher’s answers')} right.</b> Draw a digit, and
        watch them race.
      </p>
    </header>
  );
}

function Footer(): JSX.Element {
  return (
    <footer>
      <p>
        The teacher learned from {formatCount(RESULTS.teacherLabels)} labelled digits; its students
        have a fifth of its size. Losses and gradients come from the library{' '}
        <a href="../">knowledge-distillation</a>. Everything is computed on your device; nothing
        that you draw leaves it.
      </p>
      {refusal.value && (
        <p>This browser keeps nothing for this page: a reload starts over ({refusal.value}).</p>
      )}
    </footer>
  );
}
