import { Matrix, SparseTargets } from 'knowledge-distillation';
import type { TeacherBatch, TeacherStore } from 'knowledge-distillation/store';
import { drawLines } from '../onnx/drawing.js';
import { CLASSES, FEATURES, featuresOf, labelsOf } from '../onnx/frames.js';
import type { Line } from '../onnx/lines.js';
import { openTeacher, type Reader } from '../onnx/teacher.js';
import { Adam } from '../shared/adam.js';
import { HiddenLayerStudent } from '../shared/hiddenLayerStudent.js';
import { Phase } from '../shared/progress.js';
import { Random } from '../shared/random.js';
import { agreement, mostLikely } from '../shared/statistics.js';
import { formatTable } from '../shared/table.js';
import type { Features } from '../shared/training.js';
import type { Labelling } from './labelling.js';
import { METHODS, type Method } from './methods.js';
import type { Project, ProjectSettings } from './project.js';

/** Number of classes that are kept of each frame. */
const KEPT = 8;
const UNITS = 64;
const EPOCHS = 5;
/** Maximum number of frames of a step. */
const ROWS = 64;
const LEARNING_RATE = 0.01;

/**
 * Drawn words, labelled by the OCR network of examples/onnx. A document is a line, and its rows are
 * its frames. The store keeps the student's features of each frame beside the teacher's output.
 */
export async function openLinesProject(settings: ProjectSettings): Promise<Project> {
  const { quick, seed, documents } = settings;
  const read = await openTeacher();
  const count = Math.min(documents, quick ? 120 : 2000);
  return {
    training: labelLines(drawLines(count, new Random(seed, 'lines')), read),
    heldOut: labelLines(drawLines(quick ? 40 : 400, new Random(seed, 'held out')), read),
    async learn(training, heldOut) {
      const rows: [string, string][] = [];
      for (const method of METHODS) {
        const student = await trainReader(method, training, seed);
        const score = await judge(student, heldOut);
        rows.push([method.name, `${(100 * score).toFixed(1)} %`]);
      }
      return formatTable(['student', "frames read as the teacher's"], rows);
    },
  };
}

function labelLines(lines: readonly Line[], read: Reader): Labelling {
  return {
    store: {
      columns: CLASSES.length,
      k: KEPT,
      teacher: 'PP-OCRv4',
      dense: { pixels: { columns: FEATURES, precision: 'float16' } },
    },
    keys: lines.map(({ word }, index) => `line-${index}-${word}`),
    async label(document) {
      const line = lines[document]!;
      const logits = await read(line);
      return {
        targets: SparseTargets.topK(logits, KEPT),
        labels: labelsOf(line),
        dense: { pixels: pixelsOf(line) },
      };
    },
  };
}

/** Returns the student's features, a row for each frame. */
function pixelsOf(line: Line): Matrix {
  const frames = featuresOf(line);
  const pixels = Matrix.zeros(frames.length, FEATURES);
  frames.forEach(({ indices, values }, frame) => {
    indices.forEach((index, i) => {
      pixels.set(frame, index, values[i]!);
    });
  });
  return pixels;
}

async function trainReader(
  { name, createStrategy }: Method,
  store: TeacherStore,
  seed: number,
): Promise<HiddenLayerStudent> {
  const random = new Random(seed, 'student');
  const student = new HiddenLayerStudent(FEATURES, UNITS, CLASSES.length, random);
  const strategy = createStrategy();
  const adam = new Adam(0);
  const phase = new Phase(name, EPOCHS * store.size.rows);
  let [done, loss] = [0, Number.NaN];
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for await (const batch of store.batches({ rows: ROWS, seed: seed + epoch })) {
      const samples = samplesOf(batch);
      const logits = new Matrix(student.forward(samples), samples.length, CLASSES.length);
      const evaluation = strategy.computeLossAndGradient(logits, batch.targets!, batch.labels);
      const gradient = student.backward(samples, evaluation.gradient.data);
      adam.step([{ value: student.weights, gradient }], LEARNING_RATE);
      loss = evaluation.loss;
      done += samples.length;
      phase.update(done);
    }
  }
  phase.finish(`last loss ${loss.toFixed(4)}`);
  return student;
}

function samplesOf({ dense }: TeacherBatch): Features[] {
  const pixels = dense.pixels!;
  return Array.from({ length: pixels.rows }, (_, frame) => {
    const row = pixels.row(frame);
    const indices = [...row.keys()].filter((index) => row[index] !== 0);
    return { indices, values: indices.map((index) => row[index]!) };
  });
}

/**
 * Returns the fraction of the held-out frames for which student and teacher choose the same class.
 */
async function judge(student: HiddenLayerStudent, heldOut: TeacherStore): Promise<number> {
  let [frames, agreeing] = [0, 0];
  for await (const batch of heldOut.batches({ rows: 512 })) {
    const said = mostLikely(student.forward(samplesOf(batch)), CLASSES.length);
    const { indices } = batch.targets!;
    const teacher = said.map((_, frame) => indices[frame * KEPT]!);
    agreeing += said.length * agreement(said, teacher);
    frames += said.length;
  }
  return agreeing / frames;
}
