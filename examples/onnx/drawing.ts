import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import words from 'an-array-of-english-words' with { type: 'json' };
import type { Random } from '../shared/random.js';
import { FRAME, HEIGHT, type Line } from './lines.js';

const FONTS = [
  'eb-garamond',
  'fira-sans',
  'ibm-plex-mono',
  'lato',
  'libre-baskerville',
  'lora',
  'merriweather',
  'montserrat',
  'nunito',
  'open-sans',
  'playfair-display',
  'pt-serif',
  'roboto',
  'roboto-slab',
  'ubuntu',
  'work-sans',
];

const WEIGHTS = [400, 700];
/** Font sizes, in pixels. */
const SIZES = [28, 30, 32, 34, 36, 38];
const BASELINE = 36;
const MARGIN = 8;
/**
 * Space between letters in pixels, so that the middles of two narrow letters are seldom in
 * neighbouring frames.
 */
const SPACING = 4;

/**
 * Draws `count` random words of three to eight letters, each in a random font, regular or bold, and
 * in a random size.
 */
export function drawLines(count: number, random: Random): Line[] {
  const { resolve } = createRequire(import.meta.url);
  for (const font of FONTS) {
    for (const weight of WEIGHTS) {
      const file = resolve(`@fontsource/${font}/files/${font}-latin-${weight}-normal.woff2`);
      const registered = GlobalFonts.registerFromPath(file, `${font}-${weight}`);
      if (!registered) throw new Error(`no font can be read from ${file}`);
    }
  }
  const candidates = words.filter((word) => /^[a-z]{3,8}$/.test(word));
  const order = random.shuffle(Int32Array.from(candidates.keys())).subarray(0, count);
  const oneOf = <T>(choices: readonly T[]) => choices[random.below(choices.length)]!;
  return Array.from(order, (index) => {
    const font = oneOf(FONTS);
    const style = `${oneOf(SIZES)}px ${font}-${oneOf(WEIGHTS)}`;
    return { font, ...draw(candidates[index]!, style, MARGIN + random.below(MARGIN)) };
  });
}

/**
 * Measures and draws `word` in a font of the canvas, with the first letter `left` pixels from the
 * left.
 */
function draw(word: string, style: string, left: number): Omit<Line, 'font'> {
  const context = createCanvas(1, 1).getContext('2d');
  context.font = style;
  const middles: number[] = [];
  let x = left;
  for (const letter of word) {
    const advance = context.measureText(letter).width;
    middles.push(x + advance / 2);
    x += advance + SPACING;
  }
  const width = FRAME * Math.ceil((x - SPACING + MARGIN) / FRAME);
  const canvas = createCanvas(width, HEIGHT);
  const pen = canvas.getContext('2d');
  pen.font = style;
  pen.textAlign = 'center';
  [...word].forEach((letter, position) => {
    pen.fillText(letter, middles[position]!, BASELINE);
  });
  const pixels = pen.getImageData(0, 0, width, HEIGHT).data;
  const ink = Float32Array.from(
    { length: width * HEIGHT },
    (_, pixel) => pixels[4 * pixel + 3]! / 255,
  );
  return { word, width, ink, middles };
}
