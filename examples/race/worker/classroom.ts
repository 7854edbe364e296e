import { CLASSES, type Digits } from '../../digits/data.js';
import { PIXELS, toRows } from '../../digits/images.js';
import { recordTeacher, type Teacher } from '../../digits/teacher.js';
import { Transformer } from '../../digits/transformer.js';
import { SETTINGS } from './settings.js';

/** The data and the teacher, which all students share. */
export interface Classroom {
  readonly model: Transformer;
  readonly teacher: Teacher;
  readonly training: Digits;
  readonly heldOut: Digits;
}

/** Prepares the classroom; `weights` are the teacher's. */
export function openClassroom(
  weights: Float32Array,
  digits: { readonly training: Digits; readonly heldOut: Digits },
): Classroom {
  const model = new Transformer(SETTINGS.teacher.model, 0);
  model.values = weights;
  return { model, teacher: recordTeacher(model, digits.training, digits.heldOut), ...digits };
}

/** Returns a held-out image of each digit, row by row. */
export function chooseSamples({ images, labels }: Digits): Float32Array[] {
  return Array.from({ length: CLASSES }, (_, digit) => {
    const start = PIXELS * labels.indexOf(digit);
    return toRows(images.subarray(start, start + PIXELS));
  });
}
