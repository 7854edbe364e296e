import type { FloatArray } from 'knowledge-distillation';
import type { Size } from '../settings.js';

/** The arguments of a call: plain arrays, as a user of any library has them. */
export interface Work extends Size {
  readonly student: Float32Array<ArrayBuffer>;
  readonly teacher: Float32Array<ArrayBuffer>;
  readonly labels?: Int32Array<ArrayBuffer>;
}

export interface Answer {
  readonly loss: number;
  readonly gradient: FloatArray;
}

/** A contestant that is ready to compute. */
export interface Ready {
  readonly step: () => Answer | Promise<Answer>;
  /** Called before each round, because others select their kernel or backend in between. */
  readonly select: () => void | Promise<void>;
  readonly dispose?: () => void;
  /** Number of threads, or name of the graphics card. */
  readonly note?: string;
}

/** Prepares a contestant. Throws where the browser lacks what the contestant needs. */
export type Prepare = (work: Work) => Ready | Promise<Ready>;
