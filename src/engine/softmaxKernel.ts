// Computes the softmaxes of one row, and their adjoint, with a kernel, in doubles. A divergence
// that is written in JavaScript computes in between.

import type { FloatArray } from '../core/numeric.js';
import { selectedInstance } from './choice.js';
import type { Binary } from './compile.js';
import { align, workspaceBytes } from './instance.js';
import {
  CALL,
  COLUMNS,
  FIRST_ADDRESS,
  LOSSES,
  RANKS,
  SCALE,
  STANDARDIZES,
  STUDENT,
  TEACHER,
  TEACHER_TEMPERATURE,
  TEMPERATURE,
  TEMPERATURES,
  WEIGHT_TABLE,
  WEIGHTS,
} from './layout.js';

/** Kernel of the softmaxes of one row, with views on the memory of the engine. */
export interface SoftmaxKernel {
  readonly p: Float64Array;
  readonly q: Float64Array;
  readonly logP: Float64Array;
  readonly logQ: Float64Array;
  /** To be written by the caller: d(divergence) / d(log q), with every log q as a free variable. */
  readonly slope: Float64Array;
  /**
   * Computes the distributions of the row that starts at index `offset` of student and teacher, and
   * writes them to the views.
   */
  forward(
    student: FloatArray,
    teacher: FloatArray,
    offset: number,
    temperature: number,
    teacherTemperature: number,
  ): void;
  /**
   * Whether another call has used the memory since this kernel was created, because the divergence
   * itself called the library. The views are then invalid.
   */
  isLost(): boolean;
  /** Returns weight × d(divergence) / d(student's logits), computed from `slope`. */
  backward(weight: number): Float64Array;
}

/** Exports of the binary. */
interface SoftmaxExports {
  readonly openRow: (call: number, workspace: number, row: number, count: number) => void;
  readonly closeRow: (call: number, workspace: number, row: number, count: number) => void;
}

/** Options that all rows of a call share. */
export interface SoftmaxCall {
  readonly columns: number;
  readonly standardizes: boolean;
}

/** Creates the kernel for rows of a call; undefined if JavaScript has to compute. */
export function softmaxKernel(
  binary: Binary,
  { columns, standardizes }: SoftmaxCall,
): SoftmaxKernel | undefined {
  const instance = selectedInstance();
  const rowBytes = 8 * columns;
  const width = align(rowBytes);
  const start = align(FIRST_ADDRESS + workspaceBytes(rowBytes, true));
  const kernels = instance?.exportsOf<SoftmaxExports>(binary);
  if (!instance || !kernels || !instance.reach(start + 7 * width)) return undefined;
  const { int32, float64, workspace } = instance;
  /** Returns a row of the scratch buffers: student, teacher, p, q, log p, log q, slope. */
  const rowOf = (index: number): Float64Array => {
    const at = (start + index * width) / 8;
    return float64.subarray(at, at + columns);
  };
  const student = rowOf(0);
  const teacher = rowOf(1);
  const slope = rowOf(6);
  const { uses } = instance;
  const describe = (temperature: number, teacherTemperature: number) => {
    int32[(CALL + STUDENT) / 4] = start;
    int32[(CALL + TEACHER) / 4] = start + width;
    int32[(CALL + LOSSES) / 4] = start + 2 * width;
    int32[(CALL + WEIGHTS) / 4] = WEIGHT_TABLE;
    int32[(CALL + COLUMNS) / 4] = columns;
    int32[(CALL + RANKS) / 4] = 0;
    int32[(CALL + STANDARDIZES) / 4] = standardizes ? 1 : 0;
    int32[(CALL + TEMPERATURES) / 4] = 0;
    float64[(CALL + TEMPERATURE) / 8] = temperature;
    float64[(CALL + TEACHER_TEMPERATURE) / 8] = teacherTemperature;
    float64[(CALL + SCALE) / 8] = 1;
  };
  return {
    p: rowOf(2),
    q: rowOf(3),
    logP: rowOf(4),
    logQ: rowOf(5),
    slope,
    isLost: () => instance.uses !== uses,
    forward(studentRows, teacherRows, offset, temperature, teacherTemperature) {
      describe(temperature, teacherTemperature);
      student.set(studentRows.subarray(offset, offset + columns));
      teacher.set(teacherRows.subarray(offset, offset + columns));
      kernels.openRow(CALL, workspace, 0, 1);
    },
    backward(weight) {
      float64[WEIGHT_TABLE / 8] = weight;
      kernels.closeRow(CALL, workspace, 0, 1);
      return slope;
    },
  };
}
