import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { SIDE, TOKENS } from '../../digits/images.js';
import { formatPercent } from '../../shared/page/format.js';
import type { Answer } from '../worker/protocol.js';
import { Canvas } from './canvas.js';
import { NAMES, type Who } from './describe.js';
import type { Lane } from './lanes.js';
import { HEADS, mapOf, overlapsOf } from './overlap.js';
import { contextOf, PATCHES, paintAllAttention, paintAttention, paintPixels } from './paint.js';
import type { Race } from './race.js';

const FIRST_PATCH = 5;
const RESOLUTION = 224;

/** Attention maps of teacher and students, folded behind a question. */
export function Attention({ race }: { readonly race: Race }): JSX.Element {
  const isOpen = useSignal(false);
  return (
    <details
      class="card attention"
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>
        <h2>Does the student look where the teacher looks?</h2>
      </summary>
      {isOpen.value && <Maps race={race} />}
    </details>
  );
}

/** Returns the overlap of a student's attention with the teacher's, in [0, 1], for each head. */
export function overlapsWithTeacher(race: Race, lane: Lane): number[] | undefined {
  const teacher = race.teacher.value;
  const student = race.students[lane].answer.value;
  if (!teacher || !student) return undefined;
  return overlapsOf(teacher.attention, student.attention);
}

function Maps({ race }: { readonly race: Race }): JSX.Element {
  const patch = useSignal(FIRST_PATCH);
  return (
    <>
      <p class="hint">
        All three read the image in 16 patches. For each patch, two <i>heads</i> decide which
        patches matter: the stronger the colour, the more. Large: the patch that you point at.
        Small: all 16 patches, each in its place.
      </p>
      <div class="maps">
        <PatchPicker race={race} patch={patch} />
        {(['teacher', 'labels', 'taught'] as const).map((who) => (
          <figure key={who} class={who}>
            <figcaption>
              <h3>{NAMES[who]}</h3>
              {who !== 'teacher' && <Overlap overlaps={overlapsWithTeacher(race, who)} />}
            </figcaption>
            {Array.from({ length: HEADS }, (_, head) => (
              <div key={head} class="head">
                <span>Head {head + 1}</span>
                <Overlay race={race} who={who} head={head} patch={patch} />
                <AllPatches race={race} who={who} head={head} />
              </div>
            ))}
          </figure>
        ))}
      </div>
    </>
  );
}

function Overlap({ overlaps }: { readonly overlaps: readonly number[] | undefined }): JSX.Element {
  return (
    <p class="overlap">
      Overlap with the teacher: {overlaps?.map((one) => formatPercent(one, 0)).join(' and ') ?? '–'}
    </p>
  );
}

function answerOf(race: Race, who: Who): Answer | undefined {
  return who === 'teacher' ? race.teacher.value : race.students[who].answer.value;
}

interface PatchPickerProps {
  readonly race: Race;
  readonly patch: Signal<number>;
}

function PatchPicker({ race, patch }: PatchPickerProps): JSX.Element {
  return (
    <fieldset class="picker">
      <legend>Choose a patch</legend>
      <div class="patches">
        <Canvas
          resolution={RESOLUTION}
          paint={(canvas) => {
            const pixels = race.pixels.value;
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
            onPointerEnter={() => {
              patch.value = token;
            }}
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
  readonly race: Race;
  readonly who: Who;
  readonly head: number;
}

function Overlay({
  race,
  who,
  head,
  patch,
}: HeadProps & { readonly patch: Signal<number> }): JSX.Element {
  return (
    <Canvas
      resolution={RESOLUTION}
      label={`${NAMES[who]}: where head ${head + 1} looks from the chosen patch`}
      paint={(canvas) => {
        const answer = answerOf(race, who);
        if (!answer || !race.pixels.value) return;
        const map = mapOf(answer.attention, head);
        paintAttention(canvas, race.pixels.value, map, patch.value, who);
      }}
    />
  );
}

function AllPatches({ race, who, head }: HeadProps): JSX.Element {
  return (
    <Canvas
      resolution={RESOLUTION}
      label={`${NAMES[who]}: where head ${head + 1} looks from each of the 16 patches`}
      paint={(canvas) => {
        const attention = answerOf(race, who)?.attention;
        if (attention) paintAllAttention(canvas, mapOf(attention, head), who);
      }}
    />
  );
}
