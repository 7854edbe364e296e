import { type Signal, useSignal } from '@preact/signals';
import type { JSX, TargetedPointerEvent } from 'preact';
import { SIDE } from '../../digits/images.js';
import { Canvas } from './canvas.js';
import { BLANK, type Drawing, isBlank, movePen, putPenDown, sampleOf } from './drawing.js';
import { contextOf, paintPixels } from './paint.js';
import { color } from './palette.js';
import type { AppProps } from './props.js';
import { drawStrokes } from './rasterize.js';

/** Width of the pen, and the distance of one press of an arrow key, as fractions of the pad. */
const PEN = 0.075;
const KEY_STEP = 1 / 20;
const RESOLUTION = 560;

const ARROWS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The pen of the keyboard, which is visible while it is in use. */
interface Cursor {
  readonly x: number;
  readonly y: number;
  readonly isDown: boolean;
}

/** The pad: takes strokes by pointer and keyboard, and held-out digits by buttons. */
export function Pad(props: AppProps): JSX.Element {
  const { race, drawing } = props;
  const cursor = useSignal<Cursor | undefined>(undefined);
  return (
    <section class="card pad" aria-labelledby="draw">
      <div class="heading">
        <h2 id="draw">Draw a digit</h2>
        <button
          type="button"
          class="small"
          aria-disabled={isBlank(drawing.value)} // if it were disabled, it would lose the focus
          onClick={() => {
            drawing.value = BLANK;
          }}
        >
          Clear
        </button>
      </div>
      <div
        class="paper"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application is interactive
        tabIndex={0}
        aria-label="Drawing pad"
        aria-describedby="pad-keys"
        onPointerDown={(event) => {
          if (!event.isPrimary || event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          cursor.value = undefined;
          drawing.value = putPenDown(drawing.value, ...placeOf(event));
        }}
        onPointerMove={(event) => {
          const isDown = event.currentTarget.hasPointerCapture(event.pointerId);
          if (!event.isPrimary || !isDown) return;
          drawing.value = movePen(drawing.value, ...placeOf(event));
        }}
        onKeyDown={(event) => {
          if (handleKey(event.key, drawing, cursor)) event.preventDefault();
        }}
        onBlur={() => {
          cursor.value = undefined;
        }}
      >
        <Canvas
          resolution={RESOLUTION}
          paint={(canvas) => paint(canvas, drawing.value, cursor.value)}
        />
        <p id="pad-keys">Arrow keys move, space puts the pen down and lifts it.</p>
      </div>
      {race.status.value === 'loading' && (
        <p class="hint">You can draw already; the answers come with the teacher.</p>
      )}
      <Samples {...props} />
    </section>
  );
}

/** Returns the position on the pad; a pointer outside of it is moved to its edge. */
function placeOf(event: TargetedPointerEvent<HTMLElement>): [x: number, y: number] {
  const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
  return [clamp((event.clientX - left) / width), clamp((event.clientY - top) / height)];
}

/** Returns true for a key that the pad handles. */
function handleKey(
  key: string,
  drawing: Signal<Drawing>,
  cursor: Signal<Cursor | undefined>,
): boolean {
  const { x, y, isDown } = cursor.value ?? { x: 0.5, y: 0.25, isDown: false };
  const arrow = ARROWS[key];
  if (arrow) {
    const next = { x: clamp(x + KEY_STEP * arrow[0]), y: clamp(y + KEY_STEP * arrow[1]), isDown };
    cursor.value = next;
    if (isDown) drawing.value = movePen(drawing.value, next.x, next.y);
  } else if (key === ' ') {
    cursor.value = { x, y, isDown: !isDown };
    if (!isDown) drawing.value = putPenDown(drawing.value, x, y);
  }
  return arrow !== undefined || key === ' ';
}

function clamp(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

function paint(canvas: HTMLCanvasElement, drawing: Drawing, cursor: Cursor | undefined): void {
  if (drawing.kind === 'sample') {
    paintPixels(contextOf(canvas, SIDE), drawing.pixels);
  } else {
    const context = contextOf(canvas, 1);
    context.strokeStyle = color('--ink');
    drawStrokes(context, drawing.strokes, PEN);
  }
  if (!cursor) return;
  const context = contextOf(canvas, 1);
  context.beginPath();
  context.arc(cursor.x, cursor.y, PEN, 0, 2 * Math.PI);
  context.lineWidth = cursor.isDown ? 0.02 : 0.008;
  context.strokeStyle = color('--student');
  context.stroke();
}

function Samples({ drawing, samples }: AppProps): JSX.Element {
  const digits = samples.value;
  const current = drawing.value;
  return (
    <fieldset class="samples">
      <legend>Or take one that none has seen</legend>
      {Array.from({ length: 10 }, (_, digit) => (
        <button
          key={digit}
          type="button"
          aria-label={`A handwritten ${digit}`}
          aria-pressed={current.kind === 'sample' && current.digit === digit}
          disabled={!digits}
          onClick={() => {
            if (digits) drawing.value = sampleOf(digits, digit);
          }}
        >
          <Thumbnail samples={samples} digit={digit} />
        </button>
      ))}
    </fieldset>
  );
}

type ThumbnailProps = Pick<AppProps, 'samples'> & { readonly digit: number };

function Thumbnail({ samples, digit }: ThumbnailProps): JSX.Element {
  return (
    <Canvas
      resolution={2 * SIDE}
      paint={(canvas) => {
        const pixels = samples.value?.[digit];
        if (pixels) paintPixels(contextOf(canvas, SIDE), pixels);
      }}
    />
  );
}
