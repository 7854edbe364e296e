import { describe } from 'vitest';
import { selectedInstance } from '../../src/engine/choice.js';
import { type FloatArray, float32, float64, selectKernel } from '../../src/index.js';
import type { LawOptions, StrategySubject } from '../../src/testing/index.js';
import { describeKernels, kernels, runsOf } from '../support/describeKernels.js';
import { ordinaryCall } from './call.js';

/** Maximum number of rows in the examples of a law. */
const ROWS = 4;

/**
 * Returns true if a compiled kernel takes part in calls as small as those of the laws. All other
 * strategies compute such calls in JavaScript, and give the same bits with any kernel.
 */
export function isCompiled(subject: StrategySubject): boolean {
  const compiled = kernels.find((kernel) => kernel !== 'scalar');
  if (!compiled) return false;
  selectKernel(compiled);
  try {
    const instance = selectedInstance()!;
    const before = instance.uses;
    for (const numeric of [float32, float64]) {
      const { student, teacher, labels } = ordinaryCall<FloatArray>(
        subject,
        subject.rows ?? ROWS,
        numeric,
      );
      const classes = new Int32Array(student.rows);
      subject.create<FloatArray>(numeric).computeGradient(student, teacher, labels);
      subject.create<FloatArray>(numeric).computeGradient(student, teacher, classes);
    }
    return instance.uses > before;
  } finally {
    selectKernel('auto');
  }
}

/**
 * Describes the tests of a case: for every kernel if one takes part in its calls. The tests get the
 * options of the laws.
 */
export function describeCase(
  name: string,
  subject: StrategySubject,
  tests: (options: LawOptions) => void,
): void {
  if (isCompiled(subject)) describeKernels(name, (kernel) => tests(runsOf(kernel)));
  else describe(name, () => tests({}));
}
