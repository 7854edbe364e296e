import type { JSX } from 'preact';
import { formatPercent } from './format.js';
import type { Status, Trainer } from './trainer.js';

/** The buttons for training, pausing and starting over, and the notice of a failed worker. */
export function Controls({ trainer }: { readonly trainer: Trainer }): JSX.Element {
  return (
    <section class="controls" aria-label="Training">
      {trainer.status.value === 'failed' ? (
        <Failure trainer={trainer} />
      ) : (
        <TrainingControls trainer={trainer} />
      )}
    </section>
  );
}

function TrainingControls({ trainer }: { readonly trainer: Trainer }): JSX.Element {
  const status = trainer.status.value;
  const step = trainer.step.value;
  const steps = trainer.facts.value?.steps;
  const last = trainer.curve.value.at(-1);
  return (
    <>
      <progress
        aria-label="Training steps"
        max={steps ?? 1}
        value={step}
        aria-valuetext={steps ? `${step} of ${steps} steps` : 'loading'}
      />
      {status === 'training' ? (
        <button type="button" class="primary" onClick={() => trainer.pause()}>
          Pause
        </button>
      ) : (
        <button
          type="button"
          class="primary"
          disabled={status !== 'ready'}
          onClick={() => trainer.train()}
        >
          {LABELS[status] ?? (step > 0 ? 'Train on' : 'Train the student')}
        </button>
      )}
      <p class="numbers">
        <span>
          step <b data-testid="step">{step}</b>
          {steps && ` of ${steps}`}
        </span>
        {last && (
          <>
            <span>
              right <b data-testid="accuracy">{formatPercent(last.accuracy)}</b>
            </span>
            <span>
              agrees <b data-testid="agreement">{formatPercent(last.agreement)}</b>
            </span>
          </>
        )}
      </p>
      <button
        type="button"
        disabled={step === 0 || status === 'opening'}
        onClick={() => trainer.startOver()}
      >
        Start over
      </button>
    </>
  );
}

const LABELS: Partial<Record<Status, string>> = { opening: 'Loading …', finished: 'Trained' };

function Failure({ trainer }: { readonly trainer: Trainer }): JSX.Element {
  const step = trainer.snapshotStep;
  return (
    <>
      <div role="alert" class="failure">
        <h2>The training has stopped</h2>
        <p class="reason">
          {trainer.failure.value} Your drawing, the recipe and the student as it was at step {step}{' '}
          are kept. If it happens again, start over, or close other tabs and reload the page.
        </p>
      </div>
      <button type="button" class="primary" onClick={() => trainer.goOn()}>
        Go on from step {step}
      </button>
      <button type="button" onClick={() => trainer.startOver()}>
        Start over
      </button>
    </>
  );
}
