import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { SIDE, TOKENS } from '../../digits/images.js';
import { Canvas } from './canvas.js';
import { formatPercent } from './format.js';
import { contextOf, PATCHES, paintAllAttention, paintAttention, paintPixels } from './paint.js';
import type { Trainer, Who } from './trainer.js';

const HEADS = 2;
const FIRST_PATCH = 5;
const RESOLUTION = 224;

/** Attention maps of both models: of one patch, and of all patches. */
export function Attention({ trainer }: { readonly trainer: Trainer }): JSX.Element {
  const patch = useSignal(FIRST_PATCH);
  const answers = trainer.answers.value;
  const overlaps = Array.from({ length: HEADS }, (_, head) =>
    answers
      ? overlapOf(mapOf(answers.teacher.attention, head), mapOf(answers.student.attention, head))
      : undefined,
  );
  return (
    <section class="card attention" aria-labelledby="attention">
      <h2 id="attention">Where they look</h2>
      <p class="hint">
        Both read the image in 16 patches. For each of them, two <i>heads</i> decide which patches
        matter: the stronger the colour, the more. Above, that of the patch you choose; below, of
        all 16, each in its place. The attention part of the recipe asks the student to look where
        the teacher looks.
      </p>
      <div class="maps">
        <PatchPicker trainer={trainer} patch={patch} />
        {(['teacher', 'student'] as const).map((who) => (
          <figure key={who} class={who}>
            <figcaption>
              <h3>{who === 'teacher' ? 'Teacher' : 'Student'}</h3>
            </figcaption>
            {Array.from({ length: HEADS }, (_, head) => (
              <div key={head} class="head">
                <span>Head {head + 1}</span>
                <Overlay trainer={trainer} who={who} head={head} patch={patch} />
                <AllPatches trainer={trainer} who={who} head={head} />
              </div>
            ))}
          </figure>
        ))}
      </div>
      <p class="overlap">
        Of the student’s attention,{' '}
        {overlaps.map((overlap, head) => (
          <span key={head}>
            {head > 0 && ' and '}
            <b>{overlap === undefined ? '–' : formatPercent(overlap, 0)}</b> in head {head + 1}
          </span>
        ))}{' '}
        lies where the teacher’s does.
      </p>
    </section>
  );
}

/** Returns the map [TOKENS, TOKENS] of one head from [heads, TOKENS, TOKENS]. */
function mapOf(attention: Float32Array, head: number): Float32Array {
  return attention.subarray(head * TOKENS ** 2, (head + 1) * TOKENS ** 2);
}

/** Returns the overlap of two maps in [0, 1]: Σ min(p, q), averaged over the rows. */
function overlapOf(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, index) => sum + Math.min(value, right[index]!), 0) / TOKENS;
}

interface PatchPickerProps {
  readonly trainer: Trainer;
  readonly patch: Signal<number>;
}

function PatchPicker({ trainer, patch }: PatchPickerProps): JSX.Element {
  return (
    <fieldset class="picker">
      <legend>Choose a patch</legend>
      <div class="patches">
        <Canvas
          resolution={RESOLUTION}
          paint={(canvas) => {
            const pixels = trainer.pixels.value;
            if (pixels) paintPixels(contextOf(canvas, SIDE), pixels);
          }}
        />
        {Array.from({ length: TOKENS }, (_, token) => (
          <input
            key={token}
            type="radio"
            name="patch"
            aria-label={`Row ${Math.floor(token / PATCHES) + 1}, column ${(token % PATCHES) + 1}`}
            checked={patch.value === token}
            onChange={() => {
              patch.value = token;
            }}
          />
        ))}
      </div>
    </fieldset>
  );
}

interface HeadProps {
  readonly trainer: Trainer;
  readonly who: Who;
  readonly head: number;
}

function Overlay({
  trainer,
  who,
  head,
  patch,
}: HeadProps & { readonly patch: Signal<number> }): JSX.Element {
  return (
    <Canvas
      resolution={RESOLUTION}
      label={`Where head ${head + 1} of the ${who} looks from the chosen patch`}
      paint={(canvas) => {
        const answers = trainer.answers.value;
        if (!answers) return;
        const map = mapOf(answers[who].attention, head);
        paintAttention(canvas, answers.pixels, map, patch.value, who);
      }}
    />
  );
}

function AllPatches({ trainer, who, head }: HeadProps): JSX.Element {
  return (
    <Canvas
      resolution={RESOLUTION}
      label={`Where head ${head + 1} of the ${who} looks from each of the 16 patches`}
      paint={(canvas) => {
        const attention = trainer.answers.value?.[who].attention;
        if (attention) paintAllAttention(canvas, mapOf(attention, head), who);
      }}
    />
  );
}
