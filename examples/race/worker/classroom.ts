import type { Digits } from '../../digits/data.js';
import { recordTeacher, type Teacher } from '../../digits/teacher.js';
import { Transformer } from '../../digits/transformer.js';
import { decodeDigits } from '../assets/encoding.js';
import { SETTINGS } from './settings.js';

/** The data and the teacher's answers, which all students share. */
export interface Classroom {
  readonly teacher: Teacher;
  readonly training: Digits;
  readonly heldOut: Digits;
}

/** Returns the teacher with these weights. */
export function createTeacher(weights: Float32Array): Transformer {
  const model = new Transformer(SETTINGS.teacher.model, 0);
  model.values = weights;
  return model;
}

/** Prepares the classroom from encoded digits. */
export function openClassroom(
  model: Transformer,
  encoded: { readonly training: Uint8Array; readonly heldOut: Uint8Array },
): Classroom {
  const training = decodeDigits(encoded.training);
  const heldOut = decodeDigits(encoded.heldOut);
  return { teacher: recordTeacher(model, training, heldOut), training, heldOut };
}
