import { effect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { formatPercent } from '../../../shared/page/format.js';
import { FRAME_SECONDS } from '../../detector/features.js';
import { decide } from '../../scores.js';
import { type Listening, lastHeard } from '../listening.js';
import { agreementOf, WHO } from '../trace.js';
import { drawTimeline } from './chart.js';

/** Both probabilities over time, and the place in the clip. */
export function Timeline({ listening }: { readonly listening: Listening }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const chart = drawTimeline(place.current!);
    const stop = effect(() => {
      const live = listening.source.value === 'microphone';
      const trace = listening.trace.value;
      void chart.then(({ show }) => show(trace, live));
    });
    const stopMark = effect(() => {
      const frame = listening.source.value === 'microphone' ? undefined : listening.place.value;
      void chart.then(({ mark }) => mark(frame));
    });
    return () => {
      stop();
      stopMark();
      void chart.then(({ remove }) => remove());
    };
  }, [listening]);

  const agreement = agreementOf(listening.trace.value);
  const live = listening.source.value === 'microphone';
  return (
    <>
      <ul class="legend">
        <li class="teacher">teacher</li>
        <li class="student">student</li>
        <li class="loudness">loudness</li>
        <li class="agreement">
          {agreement === undefined ? (
            live &&
            listening.teacherStatus.value !== 'ready' &&
            'To compare, load the teacher below'
          ) : (
            <>
              same decision in <b data-testid="agreement">{formatPercent(agreement, 0)}</b> of the
              frames {live ? 'shown' : 'of this clip'}
            </>
          )}
        </li>
      </ul>
      <div ref={place} class="plot" aria-hidden="true" />
      {!live && <Position listening={listening} />}
    </>
  );
}

/** A slider under the chart that goes through the clip frame by frame. */
function Position({ listening }: { readonly listening: Listening }): JSX.Element {
  const trace = listening.trace.value;
  const frame = listening.place.value;
  const last = trace.student.length - 1;
  const decisions = WHO.map((who) => {
    const probability = lastHeard(trace[who], frame);
    return `${who}: ${probability === undefined ? 'nothing' : decide(probability) ? 'speech' : 'no speech'}`;
  });
  return (
    <input
      class="position"
      type="range"
      aria-label="Position in the clip"
      aria-valuetext={`${(frame * FRAME_SECONDS).toFixed(1)} seconds, ${decisions.join(', ')}`}
      min={0}
      max={last}
      value={frame}
      onInput={({ currentTarget }) => listening.seek(currentTarget.valueAsNumber)}
    />
  );
}
