import { expect, test } from 'vitest';
import { chooseSettings, prepareLesson, runExperiment } from '../../examples/onnx/experiment.js';
import { CLASSES, labelsOf, spell } from '../../examples/onnx/frames.js';
import { FRAME, HEIGHT, type Line } from '../../examples/onnx/lines.js';
import { METHODS } from '../../examples/shared/methods.js';
import { Random } from '../../examples/shared/random.js';
import { splitByGroup } from '../../examples/shared/split.js';

/**
 * Draws three frames per letter: a bar for each bit of the letter's number, as bold as the font.
 */
function drawLine(word: string, font: string, boldness: number): Line {
  const width = 3 * FRAME * word.length;
  const ink = new Float32Array(HEIGHT * width);
  [...word].forEach((letter, position) => {
    for (let bit = 0; bit < 5; bit++) {
      if ((CLASSES.indexOf(letter) & (1 << bit)) === 0) continue;
      for (let row = 0; row < 2 + boldness; row++) {
        const start = (9 * bit + row) * width + 3 * FRAME * position;
        ink.fill(1, start + 4, start + 3 * FRAME - 4);
      }
    }
  });
  const middles = Array.from(word, (_, position) => 3 * FRAME * (position + 0.5));
  return { word, font, width, ink, middles };
}

const random = new Random(1, 'lines');
const letters = CLASSES.slice(1);
const lines = Array.from({ length: 120 }, (_, index) => {
  const word = Array.from({ length: 5 }, () => letters[random.below(letters.length)]!).join('');
  return drawLine(word, `font ${index % 4}`, index % 4);
});

/** A teacher that is certain of every frame, but places each letter a frame before its middle. */
const standIn = Float32Array.from(
  lines.flatMap((line) => {
    const labels = labelsOf(line);
    return Array.from(labels, (_, frame) =>
      CLASSES.map((_, column) => (column === (labels[frame + 1] ?? 0) ? 5 : 0)),
    ).flat();
  }),
);
const lesson = prepareLesson(lines, standIn);

test('the labels of a line spell its word', () => {
  const line = drawLine('ball', 'any', 0);
  expect([...labelsOf(line)]).toEqual([0, 2, 0, 0, 1, 0, 0, 12, 0, 0, 12, 0]);
  expect(spell([...labelsOf(line)])).toBe('ball');
  // a letter in consecutive frames is one letter
  expect(spell([2, 2, 0, 1, 0, 12, 12, 12])).toBe('bal');
});

test('a font is held out in all of its lines or in none', () => {
  const { training, heldOut } = splitByGroup(lesson.fontOf, 0.25, new Random(1, 'split'));
  const fontsOf = (frames: Int32Array) =>
    new Set(Array.from(frames, (frame) => lines[lesson.lineOf[frame]!]!.font));
  expect(training.length + heldOut.length).toBe(lesson.features.length);
  expect(fontsOf(heldOut).size).toBe(1);
  expect(fontsOf(training).size).toBe(3); // of 4 in all; none is on both sides
});

test("without labels a student learns its teacher's letters, and their positions", () => {
  const settings = { ...chooseSettings(true, 1), steps: 150 };
  const { teacher, students } = runExperiment(METHODS, lesson, settings);
  const [byLabels, byTeacher] = students.map(({ scores }) => scores[0]!);
  expect(teacher[0]).toEqual({ accuracy: 1, agreement: 1 });
  expect(byTeacher!.agreement).toBeGreaterThan(0.95);
  expect(byTeacher!.accuracy).toBeGreaterThan(0.7);
  expect(byLabels!.accuracy).toBeGreaterThan(0.7);
  expect(byLabels!.agreement).toBeLessThan(0.5);
}, 60_000);
