import * as tf from '@tensorflow/tfjs-core';
import { distillationLoss } from 'knowledge-distillation/tfjs';
import { startBackend } from '../digits/backend.js';
import { Random } from '../shared/random.js';
import { optimise, type Pace } from '../shared/training.js';
import { BANDS } from './detector/features.js';
import { layoutOf, type Shape, type Student } from './detector/layout.js';
import type { Lesson } from './lesson.js';
import type { Method } from './methods.js';
import { createStudent, forward, tensorsOf } from './student.js';

/** Frames of a crop of a scene, 8 s: a student hears at most half of them at once. */
const CROP = 250;
/** Frames between the places of a scene where a crop may begin. */
const STRIDE = 25;

/** The largest logit of the teacher: its probabilities near 1 are rounded to 1 in float32. */
const LARGEST_LOGIT = 12;

/**
 * Teaches a student on crops of a lesson's scenes. For one seed, the students of all methods start
 * with the same weights, and see the same crops in the same order.
 */
export async function teach(
  { name, strategy, labels }: Method,
  lesson: Lesson,
  shape: Shape,
  pace: Pace,
  seed: number,
): Promise<Student> {
  await startBackend();
  const student = createStudent(shape, new Random(seed, 'student'));
  const tensors = layoutOf(shape);
  const loss = distillationLoss(tf, strategy);
  optimise(name, cropStarts(lesson), pace, seed, (starts) => {
    const crops = gatherCrops(lesson, starts);
    const weights = tensorsOf(student);
    const bands = tf.tensor2d(crops.bands, [crops.teacher.length, BANDS]);
    const column: [number, number] = [crops.teacher.length, 1];
    const teacher = tf.tensor2d(crops.teacher, column);
    const truth = labels ? tf.tensor2d(crops.truth, column) : undefined;
    const { value, grads } = tf.valueAndGrads((...inputs) =>
      loss(forward(bands, starts.length, inputs), teacher, truth),
    )(weights);
    const gradient = new Float32Array(student.parameters.length);
    for (const [index, { offset }] of tensors.entries()) {
      gradient.set(grads[index]!.dataSync<'float32'>(), offset);
    }
    const parameters = [{ value: student.parameters, gradient }];
    const evaluation = { loss: value.dataSync()[0]!, parameters };
    tf.dispose([weights, bands, teacher, truth ?? [], value, grads]);
    return evaluation;
  });
  loss.dispose();
  return student;
}

/** Returns the frames of a lesson where a crop may begin: all of it is in one scene. */
function cropStarts({ frames, truth }: Lesson): Int32Array {
  const starts: number[] = [];
  for (let scene = 0; scene < truth.length; scene += frames) {
    for (let start = 0; start + CROP <= frames; start += STRIDE) starts.push(scene + start);
  }
  return Int32Array.from(starts);
}

interface Crops {
  readonly bands: Float32Array;
  /** Logits of the teacher. */
  readonly teacher: Float32Array;
  readonly truth: Float32Array;
}

/** Gathers crops in the order that {@link forward} reads: the first frame of each, and so on. */
function gatherCrops(lesson: Lesson, starts: Int32Array): Crops {
  const rows = CROP * starts.length;
  const crops = {
    bands: new Float32Array(rows * BANDS),
    teacher: new Float32Array(rows),
    truth: new Float32Array(rows),
  };
  for (let row = 0; row < rows; row++) {
    const frame = starts[row % starts.length]! + Math.floor(row / starts.length);
    crops.bands.set(lesson.bands.subarray(frame * BANDS, (frame + 1) * BANDS), row * BANDS);
    crops.teacher[row] = logitOf(lesson.teacher[frame]!);
    crops.truth[row] = lesson.truth[frame]!;
  }
  return crops;
}

function logitOf(probability: number): number {
  const logit = Math.log(probability / (1 - probability));
  return Math.max(-LARGEST_LOGIT, Math.min(LARGEST_LOGIT, logit));
}
