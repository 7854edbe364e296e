import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { contextOf } from './paint.js';

interface CanvasProps {
  /** Pixels along each side. */
  readonly resolution: number;
  /**
   * Accessible label; undefined if the canvas shows nothing that the text beside it does not say.
   */
  readonly label?: string;
  /** Paints on a cleared canvas. It runs again when a signal changes that it reads. */
  readonly paint: (canvas: HTMLCanvasElement) => void;
}

/** A square canvas. */
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
