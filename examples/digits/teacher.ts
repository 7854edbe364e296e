import { agreement } from '../shared/statistics.js';
import type { Digits } from './data.js';
import { RecordedOutputs } from './recorded.js';
import { classify } from './training.js';
import type { Transformer } from './transformer.js';

/** The teacher as students need it: its outputs are computed once. */
export interface Teacher {
  readonly width: number;
  readonly parameters: number;
  readonly accuracy: number;
  readonly heldOutClasses: Int32Array;
  /** Its outputs for the training images. */
  readonly recorded: RecordedOutputs;
}

export function recordTeacher(model: Transformer, training: Digits, heldOut: Digits): Teacher {
  const heldOutClasses = classify(model, heldOut);
  return {
    width: model.config.width,
    parameters: model.parameterCount,
    accuracy: agreement(heldOutClasses, heldOut.labels),
    heldOutClasses,
    recorded: new RecordedOutputs(model, training.images),
  };
}
