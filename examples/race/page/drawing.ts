/** One stroke of the pen, from its first point to its last; both coordinates in [0, 1]. */
export type Stroke = readonly (readonly [x: number, y: number])[];

/** The content of the pad: strokes of a pen, or a held-out image. */
export type Drawing =
  | { readonly kind: 'strokes'; readonly strokes: readonly Stroke[] }
  | { readonly kind: 'sample'; readonly digit: number; readonly pixels: Float32Array };

export const BLANK: Drawing = { kind: 'strokes', strokes: [] };

export function isBlank(drawing: Drawing): boolean {
  return drawing.kind === 'strokes' && drawing.strokes.length === 0;
}

/** Returns the held-out image of a digit; `samples` has one image of each digit. */
export function sampleOf(samples: readonly Float32Array[], digit: number): Drawing {
  return { kind: 'sample', digit, pixels: samples[digit]! };
}

/** Adds a stroke that starts at a point. It replaces an image. */
export function putPenDown(drawing: Drawing, x: number, y: number): Drawing {
  const strokes = drawing.kind === 'strokes' ? drawing.strokes : [];
  return { kind: 'strokes', strokes: [...strokes, [[x, y]]] };
}

/** Extends the last stroke to a point. */
export function movePen(drawing: Drawing, x: number, y: number): Drawing {
  if (drawing.kind === 'sample') return putPenDown(drawing, x, y);
  const last = drawing.strokes.at(-1) ?? [];
  return { kind: 'strokes', strokes: [...drawing.strokes.slice(0, -1), [...last, [x, y]]] };
}
