import { clips } from 'virtual:assets';
import type { JSX } from 'preact';
import type { Listening } from '../listening.js';

/** The clips, the microphone, and the buttons that start and stop them. */
export function Sources({ listening }: { readonly listening: Listening }): JSX.Element {
  const source = listening.source.value;
  const status = listening.status.value;
  const failure = listening.failure.value;
  const live = status === 'listening';
  return (
    <div class="sources">
      <h2 id="listen">Is this speech?</h2>
      {clips.length > 0 && (
        <fieldset class="clips">
          <legend class="visually-hidden">Recorded clips</legend>
          {clips.map(({ title }, index) => (
            <label key={title}>
              <input
                type="radio"
                name="clip"
                checked={source === index}
                onChange={() => listening.choose(index)}
              />
              {title}
            </label>
          ))}
        </fieldset>
      )}
      <div class="buttons">
        {clips.length > 0 && (
          <button
            type="button"
            class="primary"
            onClick={() => (status === 'playing' ? listening.pause() : listening.play())}
          >
            {status === 'playing' ? 'Pause' : live ? 'Play the clip instead' : 'Play the clip'}
          </button>
        )}
        <button
          type="button"
          class={live ? 'live' : undefined}
          aria-disabled={status === 'asking'}
          onClick={() => {
            if (status === 'asking') return;
            if (live) listening.stop();
            else void listening.useMicrophone();
          }}
        >
          {MICROPHONE[live ? 'listening' : status === 'asking' ? 'asking' : 'still']}
        </button>
      </div>
      <p class="failure" role="alert">
        {failure}
        {failure && clips.length > 0 && ' The clips work without a microphone.'}
      </p>
    </div>
  );
}

const MICROPHONE = {
  listening: 'Stop the microphone',
  asking: 'Waiting for the microphone …',
  still: 'Use your microphone',
};
