import { runtimeBytes, summary, teacher, weights } from 'virtual:assets';
import type { JSX } from 'preact';
import { formatPercent } from '../../../shared/page/format.js';
import type { Listening } from '../listening.js';
import { Announcer } from './announcer.js';
import { formatBytes } from './format.js';
import { Meter } from './meter.js';
import { Results } from './results.js';
import { Sources } from './sources.js';
import { Timeline } from './timeline.js';

export function App({ listening }: { readonly listening: Listening }): JSX.Element {
  return (
    <>
      <header>
        <nav aria-label="Site">
          <a href="../">Documentation</a>
          <a href="../laboratory.html">Laboratory</a>
          <a href="../benchmark.html">Benchmark</a>
          <a href="../race/">Race</a>
        </nav>
        <p class="eyebrow">Knowledge distillation, live in your browser</p>
        <h1>
          {formatBytes(weights.bytes)} copies {formatPercent(summary.agreement, 0)} of the decisions
          of a {formatBytes(teacher.bytes)} model, without a label
        </h1>
        <p class="lead">
          The <b class="teacher">teacher</b> is Silero’s voice detector: it tells speech from
          everything else. The <b class="student">student</b> has learned from the teacher’s answers
          alone, and needs no {formatBytes(runtimeBytes)} runtime.
        </p>
      </header>
      <main>
        <section class="card" aria-labelledby="listen">
          <Sources listening={listening} />
          <Timeline listening={listening} />
        </section>
        <div class="meters">
          <Meter who="teacher" listening={listening} />
          <Meter who="student" listening={listening} />
        </div>
        <Results />
      </main>
      <footer>
        <p>
          Everything is computed on your device. Nothing that the microphone hears is stored or
          leaves this page.
        </p>
        <p>
          <a href="../">knowledge-distillation</a>: the library, its guides and the other pages.
        </p>
        <p class="credits">
          The clips are mixed from the Asterisk core sounds, Italian by Carlo Flora and Russian by
          Maxim Topal (<a href="https://creativecommons.org/licenses/by/3.0/">CC BY 3.0</a>), and
          music by Manolo Camp and Reno Project, and are under{' '}
          <a href="https://creativecommons.org/licenses/by-sa/3.0/">CC BY-SA 3.0</a>. The teacher is{' '}
          <a href="https://github.com/snakers4/silero-vad">Silero VAD</a> (MIT licence), from the
          package <a href="https://github.com/ricky0123/vad">vad-web</a> (ISC); its runtime is{' '}
          <a href="https://onnxruntime.ai">ONNX Runtime</a> (MIT).{' '}
          <a href="./licences.txt">All licences</a>.
        </p>
      </footer>
      <Announcer listening={listening} />
    </>
  );
}
