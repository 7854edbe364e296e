// Checks of a call through a head, before anything is computed or written.

import { type Arguments, checkInputs, type TeacherOutput } from '../call/batch.js';
import type { IDistillationStrategy } from '../call/options.js';
import {
  checkApart,
  checkApartFromHeld,
  checkApartFromRowInputs,
  checkApartFromTeacher,
} from '../call/output.js';
import { checkRowLosses, refuseTemperatures } from '../call/rowOptions.js';
import { sharesBase } from '../call/strategy.js';
import { checkSameShape, checkShape } from '../core/checks.js';
import { checkBoolean, checkInteger, checkOptions, refuse, throwType } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import type { FloatArray } from '../core/numeric.js';
import { typeTag } from '../core/numeric.js';
import { isHybrid, nameOf } from '../strategies/hybrid/nested.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { type HeadCall, isHead } from './chunks.js';
import { checkHead, type HeadLogits } from './head.js';
import type { HeadGradients, RowwiseStrategy, ThroughHeadOptions } from './options.js';

const OPTION_NAMES = [
  'mask',
  'rowWeights',
  'temperatures',
  'normalizer',
  'rowLosses',
  'chunkRows',
  'gradients',
  'accumulate',
];

/** Logits of a chunk by default: 16 MiB of float32. */
const CHUNK_LOGITS = 2 ** 22;

/** Fewer rows than this waste the products: the weight is read anew for each chunk. */
const LEAST_ROWS = 16;

/** Throws unless a strategy scores each row by itself; `path` leads to it through hybrids. */
export function checkRowwise<T extends FloatArray>(
  operation: string,
  strategy: IDistillationStrategy<T>,
  name: string,
): void {
  const refuseAs = (received: string, hint: string): never =>
    refuse('MISPLACED_OPTION', operation, name, 'be a sum over rows', received, { hint });
  if (isHybrid(strategy)) {
    for (const entry of strategy.getStrategies()) {
      const { layer, weight } = entry;
      if (layer !== undefined) {
        const expected = 'have no entry that is bound to a layer';
        const hint = 'a head has no layers but its logits: call computeLayerwise';
        refuse('LAYER', operation, name, expected, nameOf(entry), { hint });
      }
      if (weight !== 0) checkRowwise(operation, entry.strategy, `${name} → ${nameOf(entry)}`);
    }
    return;
  }
  const hint = 'compute the logits of all rows, and call computeLossAndGradient';
  if (!sharesBase(strategy)) refuseAs('an implementation of the interface alone', hint);
  else if (!strategy.isSumOverRows) refuseAs('a loss of all rows together', hint);
  else if (strategy.heldMatrices().length > 0) refuseAs('a loss that knows rows by place', hint);
}

/** Checks everything but what depends on the strategy's formula. */
export function checkCall<T extends FloatArray, Sparse extends SparseTargets<T>>(
  operation: string,
  strategy: RowwiseStrategy<T, Sparse>,
  student: HeadLogits<T>,
  teacher: TeacherOutput<T> | HeadLogits<T>,
  labels: Labels<T> | undefined,
  options: ThroughHeadOptions<T>,
): HeadCall<T> {
  if (typeof strategy !== 'object' || strategy === null || !('computeLoss' in strategy)) {
    throwType(operation, 'strategy', 'be a strategy', strategy);
  }
  checkHead(operation, 'student', student, () => student.hidden);
  if (isHead(teacher)) {
    checkHead(operation, 'teacher', teacher, () => student.hidden);
    const expected = [student.hidden.rows, teacher.hidden.columns] as const;
    checkShape(operation, 'teacher.hidden', teacher.hidden, expected, "the student's rows");
  }
  if (typeTag(labels) === 'Object' && !('numeric' in (labels as object))) {
    const hint = 'options are the fifth argument: pass undefined for labels';
    throwType(operation, 'labels', 'be a Matrix or an Int32Array', labels, hint);
  }
  checkOptions(operation, 'options', options, OPTION_NAMES);
  const { mask, rowWeights, temperatures, normalizer, rowLosses } = options;
  checkRowwise(operation, strategy, 'name' in strategy ? strategy.name : 'strategy');
  if (!strategy.usesTemperatures) refuseTemperatures(operation, temperatures);
  const request: Arguments<T, SparseTargets<T>> = {
    operation,
    student: student.hidden,
    teacher: isHead(teacher) ? teacher.hidden : teacher,
    labels,
    mask,
    normalizer,
    rowWeights,
    temperatures,
  };
  const inputs = checkInputs(request, true);
  if (rowLosses) checkRowLosses(operation, 'rowLosses', rowLosses, student.hidden.rows);
  const { columns } = student.weight;
  const { chunkRows = Math.max(LEAST_ROWS, Math.floor(CHUNK_LOGITS / columns)) } = options;
  checkInteger(operation, 'chunkRows', chunkRows, 1);
  return {
    operation,
    student,
    teacher,
    labels,
    inputs,
    normalizer: normalizer ?? Math.max(inputs.count, 1),
    chunkRows,
    rowLosses,
    learned: strategy.parameters(),
  };
}

/** Checks what the call is to write: shapes, and that no two of them, or an input, share memory. */
export function checkOutputs<T extends FloatArray, Sparse extends SparseTargets<T>>(
  { operation, student, teacher, labels, learned }: HeadCall<T>,
  strategy: RowwiseStrategy<T, Sparse>,
  options: ThroughHeadOptions<T>,
): { readonly gradients: Partial<HeadGradients<T>>; readonly accumulate: boolean } {
  const { gradients = {}, accumulate = false, rowLosses } = options;
  checkOptions(operation, 'gradients', gradients, ['hidden', 'weight', 'bias']);
  const { hidden, weight, bias } = gradients;
  const targets = Object.entries({ hidden, weight, bias }).filter(([, given]) => given);
  if (checkBoolean(operation, 'accumulate', accumulate) && targets.length + learned.length === 0) {
    refuse('MISPLACED_OPTION', operation, 'accumulate', 'come with gradients to add to', 'none');
  }
  if (bias && !student.bias) {
    const hint = 'leave gradients.bias out';
    refuse('MISPLACED_OPTION', operation, 'gradients.bias', 'come with student.bias', 'none', {
      hint,
    });
  }
  const written: { readonly name: string; readonly data: FloatArray }[] = [];
  for (const [name, matrix] of targets) {
    const argument = `gradients.${name}`;
    checkSameShape(operation, argument, matrix!, student[name as keyof HeadLogits<T>]!);
    written.push({ name: argument, data: matrix!.data });
  }
  if (rowLosses) written.push({ name: 'rowLosses', data: rowLosses });
  for (const [i, target] of written.entries()) {
    checkApartFromHead(operation, target.name, target, student, 'student');
    if (isHead(teacher)) checkApartFromHead(operation, target.name, target, teacher, 'teacher');
    else checkApartFromTeacher(operation, target.name, target, teacher, 'teacher');
    const { mask, rowWeights, temperatures } = options;
    const rowInputs = { labels, mask, rowWeights, temperatures };
    checkApartFromRowInputs(operation, target.name, target, rowInputs);
    checkApartFromHeld(operation, target.name, target, learned, strategy.heldMatrices());
    for (const other of written.slice(0, i)) {
      checkApart(operation, target.name, target, other, other.name);
    }
  }
  return { gradients, accumulate };
}

function checkApartFromHead<T extends FloatArray>(
  operation: string,
  argument: string,
  target: { readonly data: FloatArray },
  { hidden, weight, bias }: HeadLogits<T>,
  side: string,
): void {
  checkApart(operation, argument, target, hidden, `${side}.hidden`);
  checkApart(operation, argument, target, weight, `${side}.weight`);
  checkApart(operation, argument, target, bias, `${side}.bias`);
}
