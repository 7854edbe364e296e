import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { contextOf } from './paint.js';

interface CanvasProps {
  /** Pixels along each side. */
  readonly resolution: number;
  /** What it shows; without, it says nothing that is not said beside it. */
  readonly label?: string;
  /** Paints on a cleared canvas; again when a signal changes that it reads. */
  readonly paint: (canvas: HTMLCanvasElement) => void;
}

/** A square to paint on. */
export function Canvas({ resolution, label, paint }: CanvasProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    contextOf(canvas.current!, 1).clearRect(0, 0, 1, 1);
    paint(canvas.current!);
  });
  return (
    <canvas
      ref={canvas}
      width={resolution}
      height={resolution}
      {...(label && { role: 'img', 'aria-label': label })}
    />
  );
}
