// Checks of a call through a head, which run before anything is computed or written.

import { type Arguments, checkInputs, type TeacherOutput } from '../call/batch.js';
import type { IDistillationStrategy } from '../call/options.js';
import {
  checkApart,
  checkApartFromHeld,
  checkApartFromRowInputs,
  checkApartFromTeacher,
} from '../call/output.js';
import { checkRowLosses, refuseTemperatures } from '../call/rowOptions.js';
import { sharesBase } from '../call/sharesBase.js';
import type { DistillationStrategyBase } from '../call/strategy.js';
import { checkBuffer, checkShape, checkTeacherRows } from '../core/checks.js';
import { checkBoolean, checkInteger, checkOptions, refuse, throwType } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import type { FloatArray } from '../core/numeric.js';
import { isHybrid, nameOf } from '../strategies/hybrid/nested.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { chunkRowsOf, type HeadCall, isHead } from './chunks.js';
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

/** The reason why a strategy does not score each row separately. */
interface NotRowwise {
  readonly code: 'LAYER' | 'MISPLACED_OPTION';
  /** The name of the strategy, after the names of the hybrids around it. */
  readonly name: string;
  readonly expected: string;
  readonly received: string;
  readonly hint: string;
}

/** Returns why a strategy does not score each row separately; `undefined` if it does. */
function findNotRowwise<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  name: string,
): NotRowwise | undefined {
  if (isHybrid(strategy)) {
    for (const entry of strategy.getStrategies()) {
      const path = `${name} → ${nameOf(entry)}`;
      const found = entry.layer === undefined ? undefined : boundToLayer(path);
      const inner = entry.weight === 0 ? undefined : findNotRowwise(entry.strategy, path);
      if (found ?? inner) return found ?? inner;
    }
    return undefined;
  }
  const isSum = 'isSumOverRows' in strategy && strategy.isSumOverRows === true;
  const isHeld = sharesBase(strategy) && strategy.heldMatrices().length > 0;
  if (isSum && !isHeld) return undefined;
  return {
    code: 'MISPLACED_OPTION',
    name,
    expected: 'be a sum over rows, whichever rows a chunk has',
    received: isSum ? 'a loss that knows the rows of its batch' : 'a loss of all rows together',
    hint: 'compute the logits of all rows, and call computeLossAndGradient',
  };
}

function boundToLayer(name: string): NotRowwise {
  return {
    code: 'LAYER',
    name,
    expected: 'be bound to no layer',
    received: 'a layer',
    hint: 'a head has no layers beside its logits: call computeLayerwise',
  };
}

/**
 * Whether a strategy can be evaluated through a head: the strategy, or each entry of the hybrid,
 * scores each row separately.
 */
export function isRowwise<T extends FloatArray>(strategy: IDistillationStrategy<T>): boolean {
  return findNotRowwise(strategy, '') === undefined;
}

function checkRowwise<T extends FloatArray>(
  operation: string,
  strategy: DistillationStrategyBase<T>,
): void {
  const found = findNotRowwise(strategy, strategy.name);
  if (!found) return;
  const { code, name, expected, received, hint } = found;
  refuse(code, operation, name, expected, received, { hint });
}

/** Checks the arguments of a call, except for the checks that depend on the strategy's formula. */
export function checkCall<T extends FloatArray, Sparse extends SparseTargets<T>>(
  operation: string,
  strategy: RowwiseStrategy<T, Sparse>,
  student: HeadLogits<T>,
  teacher: TeacherOutput<T> | HeadLogits<T>,
  labels: Labels<T> | undefined,
  options: ThroughHeadOptions<T>,
): HeadCall<T> {
  if (typeof strategy !== 'object' || strategy === null || !sharesBase(strategy)) {
    throwType(operation, 'strategy', 'extend DistillationStrategyBase', strategy);
  }
  checkHead(operation, 'student', student, () => student.hidden);
  if (isHead(teacher)) {
    checkHead(operation, 'teacher', teacher, () => student.hidden);
    const expected = [student.hidden.rows, teacher.hidden.columns] as const;
    checkShape(operation, 'teacher.hidden', teacher.hidden, expected, "the student's rows");
  }
  checkOptions(operation, 'options', options, OPTION_NAMES);
  const { mask, rowWeights, temperatures, normalizer, rowLosses } = options;
  checkRowwise(operation, strategy as DistillationStrategyBase<T>);
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
  checkTeacherRows(operation, student.hidden, request.teacher);
  if (rowLosses !== undefined)
    checkRowLosses(operation, 'rowLosses', rowLosses, student.hidden.rows);
  const { chunkRows = chunkRowsOf(student.weight.columns) } = options;
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

/** Checks the shapes of the output buffers, and that they share no memory with other arguments. */
export function checkOutputs<T extends FloatArray, Sparse extends SparseTargets<T>>(
  { operation, student, teacher, labels, learned }: HeadCall<T>,
  strategy: RowwiseStrategy<T, Sparse>,
  options: ThroughHeadOptions<T>,
): { readonly gradients: Partial<HeadGradients<T>>; readonly accumulate: boolean } {
  const { gradients = {}, accumulate = false, rowLosses } = options;
  checkOptions(operation, 'gradients', gradients, ['hidden', 'weight', 'bias']);
  const { hidden, weight, bias } = gradients;
  const targets = Object.entries({ hidden, weight, bias }).filter(
    ([, given]) => given !== undefined,
  );
  if (checkBoolean(operation, 'accumulate', accumulate) && targets.length + learned.length === 0) {
    refuse('MISPLACED_OPTION', operation, 'accumulate', 'come with gradients to add to', 'none');
  }
  if (bias !== undefined && !student.bias) {
    const hint = 'leave gradients.bias out';
    refuse('MISPLACED_OPTION', operation, 'gradients.bias', 'come with student.bias', 'none', {
      hint,
    });
  }
  const written: { readonly name: string; readonly data: FloatArray }[] = [];
  for (const [name, matrix] of targets) {
    const argument = `gradients.${name}`;
    checkBuffer(operation, argument, matrix!, student[name as keyof HeadLogits<T>]!);
    written.push({ name: argument, data: matrix!.data });
  }
  if (rowLosses !== undefined) written.push({ name: 'rowLosses', data: rowLosses });
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
