import type { TeacherStore } from 'knowledge-distillation/store';
import type { Labelling } from './labelling.js';

/** Documents to label, and the students that learn from the labels. */
export interface Project {
  readonly training: Labelling;
  /** Documents by which students are judged. */
  readonly heldOut: Labelling;
  /** Trains students from the store, judges them, and returns a table of it. */
  learn(training: TeacherStore, heldOut: TeacherStore): Promise<string>;
}

export interface ProjectSettings {
  readonly quick: boolean;
  readonly seed: number;
  /** `local`, `onnx`, or the address of a server that speaks vLLM's protocol. */
  readonly teacher: string;
  /** Most documents of the training part. */
  readonly documents: number;
}
