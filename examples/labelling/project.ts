import type { TeacherStore } from 'knowledge-distillation/store';
import type { Labelling } from './labelling.js';

/** Documents to label, and the students that are trained from the labels. */
export interface Project {
  readonly training: Labelling;
  /** Documents for the evaluation of students. */
  readonly heldOut: Labelling;
  /** Trains students from the store, and returns a table of their scores. */
  learn(training: TeacherStore, heldOut: TeacherStore): Promise<string>;
}

export interface ProjectSettings {
  readonly quick: boolean;
  readonly seed: number;
  /** `local`, `onnx`, or the address of a server with vLLM's protocol. */
  readonly teacher: string;
  /** Maximum number of documents to label for training. */
  readonly documents: number;
}
