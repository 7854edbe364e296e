/** The pen from where it is put down to where it is lifted; both coordinates in [0, 1]. */
export type Stroke = readonly (readonly [x: number, y: number])[];

/** What is on the pad: strokes of a pen, or an image of the held-out ones. */
export type Drawing =
  | { readonly kind: 'strokes'; readonly strokes: readonly Stroke[] }
  | { readonly kind: 'sample'; readonly digit: number; readonly pixels: Float32Array };

export const BLANK: Drawing = { kind: 'strokes', strokes: [] };

export function isBlank(drawing: Drawing): boolean {
  return drawing.kind === 'strokes' && drawing.strokes.length === 0;
}

/** The held-out image of a digit; `samples` has one of each. */
export function sampleOf(samples: readonly Float32Array[], digit: number): Drawing {
  return { kind: 'sample', digit, pixels: samples[digit]! };
}

/** A new stroke that starts here; takes the place of an image. */
export function putPenDown(drawing: Drawing, x: number, y: number): Drawing {
  const strokes = drawing.kind === 'strokes' ? drawing.strokes : [];
  return { kind: 'strokes', strokes: [...strokes, [[x, y]]] };
}

/** The last stroke goes on to here. */
export function movePen(drawing: Drawing, x: number, y: number): Drawing {
  if (drawing.kind === 'sample') return putPenDown(drawing, x, y);
  const last = drawing.strokes.at(-1) ?? [];
  return { kind: 'strokes', strokes: [...drawing.strokes.slice(0, -1), [...last, [x, y]]] };
}
