import type { Recipe } from '../worker/protocol.js';
import { type Drawing, type Stroke, sampleOf } from './drawing.js';
import { LIMITS, settingsOf } from './recipes.js';

/** The part of the page that a link can hold. */
export interface Shared {
  readonly recipe?: Recipe;
  readonly drawing?: Drawing;
}

/** The coordinates of a link are multiples of 1 / GRID. */
const GRID = 255;
/** A point nearer than this to the point before it is left out, unless it is the last one. */
const NEAR = 4;
const MOST_POINTS = 255;
/** The strokes of a link are at most this long: some 4,000 points, a drawing of a lot of digits. */
const MOST_BYTES = 8192;
const NUMBER = /^\d{1,3}(\.\d{1,4})?$/;

/**
 * Returns the hash of a link to the page with this recipe and drawing. Strokes that are too long
 * for a link are left out.
 */
export function writeLink({ recipe, drawing }: Shared): string {
  const fields = new URLSearchParams();
  if (recipe) fields.set('recipe', settingsOf(recipe).map(write).join('-'));
  if (drawing?.kind === 'sample') fields.set('digit', String(drawing.digit));
  const strokes = drawing?.kind === 'strokes' ? writeStrokes(drawing.strokes) : undefined;
  if (strokes !== undefined) fields.set('strokes', strokes);
  return `#${fields}`;
}

/**
 * Reads the hash of a link; `samples` has one image of each digit. A part that cannot be read is
 * left out.
 */
export function readLink(hash: string, samples: readonly Float32Array[]): Shared {
  const fields = new URLSearchParams(hash.slice(1));
  const recipe = readRecipe(fields.get('recipe'));
  const drawing = readDigit(fields.get('digit'), samples) ?? readStrokes(fields.get('strokes'));
  return { ...(recipe && { recipe }), ...(drawing && { drawing }) };
}

function write(setting: string | number): string {
  return typeof setting === 'string' ? setting : String(Number(setting.toFixed(4)));
}

function readRecipe(text: string | null): Recipe | undefined {
  const [images, ...settings] = text?.split('-') ?? [];
  if (images !== 'labelled' && images !== 'all') return undefined;
  if (settings.length !== 5 || !settings.every((setting) => NUMBER.test(setting))) return undefined;
  const [response, attention, feature, temperature, alpha] = settings.map(Number) as Five;
  const weights = { response, attention, feature };
  const isLegal =
    Object.values(weights).every((weight) => isWithin(weight, LIMITS.weight)) &&
    response + attention + feature > 0 &&
    isWithin(temperature, LIMITS.temperature) &&
    isWithin(alpha, LIMITS.alpha);
  return isLegal ? { images, weights, temperature, alpha } : undefined;
}

type Five = [number, number, number, number, number];

function isWithin(value: number, [least, most]: readonly [number, number]): boolean {
  return least <= value && value <= most;
}

function readDigit(text: string | null, samples: readonly Float32Array[]): Drawing | undefined {
  const digit = /^\d$/.test(text ?? '') ? Number(text) : undefined;
  return digit !== undefined && samples[digit] ? sampleOf(samples, digit) : undefined;
}

/** Encodes strokes: the number of points of each, then x and y of each point, a byte each. */
function writeStrokes(strokes: readonly Stroke[]): string | undefined {
  const bytes = strokes.flatMap(thin).flatMap((points) => [points.length, ...points.flat()]);
  if (bytes.length > MOST_BYTES) return undefined;
  const text = String.fromCharCode(...bytes);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Returns the points of a stroke on the grid, in parts that a byte can count. */
function thin(stroke: Stroke): Point[][] {
  const points = stroke.map(([x, y]): Point => [Math.round(GRID * x), Math.round(GRID * y)]);
  const kept: Point[] = [];
  points.forEach((point, index) => {
    const before = kept.at(-1);
    const isNear = before && Math.hypot(point[0] - before[0], point[1] - before[1]) < NEAR;
    if (!isNear || index === points.length - 1) kept.push(point);
  });
  const parts: Point[][] = [];
  // A part begins with the last point of the part before it, so that the line has no gap.
  for (let start = 0; start === 0 || start + 1 < kept.length; start += MOST_POINTS - 1) {
    parts.push(kept.slice(start, start + MOST_POINTS));
  }
  return parts;
}

type Point = [x: number, y: number];

function readStrokes(text: string | null): Drawing | undefined {
  if (text === null) return undefined;
  const bytes = decode(text);
  if (!bytes) return undefined;
  const strokes: Stroke[] = [];
  for (let at = 0; at < bytes.length; ) {
    const count = bytes[at]!;
    const end = at + 1 + 2 * count;
    if (count === 0 || end > bytes.length) return undefined;
    strokes.push(
      Array.from({ length: count }, (_, point) => [
        bytes[at + 1 + 2 * point]! / GRID,
        bytes[at + 2 + 2 * point]! / GRID,
      ]),
    );
    at = end;
  }
  return { kind: 'strokes', strokes };
}

/** Returns the bytes of a text in base64; undefined for another text, or too long a one. */
function decode(text: string): readonly number[] | undefined {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    if (binary.length > MOST_BYTES) return undefined;
    return Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
