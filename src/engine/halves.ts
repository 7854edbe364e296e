// The two halves around a term in JavaScript, a row at a time, in doubles.

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

/** Views on the memory of the engine, for one row at a time. */
export interface Halves {
  readonly p: Float64Array;
  readonly q: Float64Array;
  readonly logP: Float64Array;
  readonly logQ: Float64Array;
  /** To be written: the derivative of the term by log q, as if every log q were free. */
  readonly slope: Float64Array;
  /**
   * Reads a row, which starts at this offset on both sides, and writes its distributions at these
   * temperatures.
   */
  open(
    student: FloatArray,
    teacher: FloatArray,
    offset: number,
    temperature: number,
    teacherTemperature: number,
  ): void;
  /**
   * Whether another call has used the memory since then: a term may call the library. The views are
   * then worthless.
   */
  isLost(): boolean;
  /** weight × the derivative by the logits that the slopes make. */
  close(weight: number): Float64Array;
}

interface HalvesKernels {
  readonly openRow: (call: number, workspace: number, row: number, count: number) => void;
  readonly closeRow: (call: number, workspace: number, row: number, count: number) => void;
}

/** What all rows have in common. */
export interface HalvesCall {
  readonly columns: number;
  readonly standardizes: boolean;
}

/** `undefined` where JavaScript has to compute. */
export function halvesOf(
  binary: Binary,
  { columns, standardizes }: HalvesCall,
): Halves | undefined {
  const instance = selectedInstance();
  const rowBytes = 8 * columns;
  const width = align(rowBytes);
  const start = align(FIRST_ADDRESS + workspaceBytes(rowBytes, true));
  const kernels = instance?.exportsOf<HalvesKernels>(binary);
  if (!instance || !kernels || !instance.reach(start + 7 * width)) return undefined;
  const { int32, float64, workspace } = instance;
  /** Student, teacher, p, q, log p, log q and slope, in this order. */
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
    open(studentRows, teacherRows, offset, temperature, teacherTemperature) {
      describe(temperature, teacherTemperature);
      student.set(studentRows.subarray(offset, offset + columns));
      teacher.set(teacherRows.subarray(offset, offset + columns));
      kernels.openRow(CALL, workspace, 0, 1);
    },
    close(weight) {
      float64[WEIGHT_TABLE / 8] = weight;
      kernels.closeRow(CALL, workspace, 0, 1);
      return slope;
    },
  };
}
