import { runtimeBytes, teacher, weights, worklet } from 'virtual:assets';
import type { JSX } from 'preact';
import { formatPercent } from '../../../shared/page/format.js';
import { decide } from '../../scores.js';
import { type Listening, lastHeard } from '../listening.js';
import type { Who } from '../trace.js';
import { formatBytes, formatMilliseconds } from './format.js';

interface MeterProps {
  readonly who: Who;
  readonly listening: Listening;
}

/** A model's answer for the frame that is heard, and its cost. */
export function Meter({ who, listening }: MeterProps): JSX.Element {
  const values = listening.trace.value[who];
  const probability = lastHeard(values, listening.place.value);
  const time = listening.times[who].value;
  return (
    <section class={`card meter ${who}`} aria-labelledby={who}>
      <h2 id={who}>{who === 'teacher' ? 'Teacher' : 'Student'}</h2>
      <p class="verdict">
        <output class="word" aria-live="off" aria-label={`The ${who} says`}>
          {probability === undefined ? '–' : decide(probability) ? 'speech' : 'no speech'}
        </output>
        <span class="value">{probability !== undefined && formatPercent(probability, 0)}</span>
      </p>
      <meter
        aria-label={`The ${who}’s probability of speech`}
        value={probability ?? 0}
        style={{ '--part': probability ?? 0 }}
      />
      <dl class="facts">
        <dt>Model</dt>
        <dd>{formatBytes((who === 'teacher' ? teacher : weights).bytes)}</dd>
        <dt>{who === 'teacher' ? 'Runtime' : 'Code'}</dt>
        <dd>{formatBytes(who === 'teacher' ? runtimeBytes : worklet.bytes)}</dd>
        <dt>Per frame</dt>
        <dd data-testid={`time-${who}`}>{time === undefined ? '–' : formatMilliseconds(time)}</dd>
      </dl>
      {who === 'teacher' ? (
        <Loader listening={listening} />
      ) : (
        <p class="hint">Its time is measured in this browser.</p>
      )}
    </section>
  );
}

/** Loads the teacher if the visitor wants it to: it is large. */
function Loader({ listening }: { readonly listening: Listening }): JSX.Element {
  const status = listening.teacherStatus.value;
  const idle = status === 'absent' || status === 'failed';
  return (
    <p class="hint">
      {status === 'ready'
        ? 'It listens in this browser, too.'
        : listening.source.value === 'microphone'
          ? 'It is not loaded.'
          : 'Its answers to the clips were recorded.'}{' '}
      <button type="button" aria-disabled={!idle} onClick={() => idle && listening.loadTeacher()}>
        {status === 'ready'
          ? 'The teacher is loaded'
          : status === 'loading'
            ? 'Loading the teacher …'
            : `Load the teacher (${formatBytes(teacher.bytes + runtimeBytes)})`}
      </button>
    </p>
  );
}
