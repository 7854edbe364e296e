// Checks of a layerwise call before anything is evaluated: options by layer, and output buffers.

import {
  checkApart,
  checkApartFromHeld,
  checkApartFromRowInputs,
  checkApartFromTeacher,
  type HeldMatrix,
} from '../../call/output.js';
import type { Parameter } from '../../call/parameter.js';
import { checkRowLosses } from '../../call/rowOptions.js';
import { checkBuffer } from '../../core/checks.js';
import { checkOptions, refuse } from '../../core/errors.js';
import { checkMatrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import {
  isList,
  type LayerOutputs,
  type LayerwiseArguments,
  type LayerwiseOptions,
  listOf,
  own,
  pickLayer,
  type ReadPair,
} from './layers.js';

/**
 * Throws if an option names a layer that no entry reads, or if one normalizer is given for layers
 * that differ in rows.
 */
export function checkByLayer<T extends FloatArray>(
  operation: string,
  pairs: readonly ReadPair[],
  studentLayers: LayerOutputs<T>,
  { mask, normalizer, rowWeights, temperatures, rowLosses }: LayerwiseOptions<T>,
): void {
  const names = studentNames(pairs);
  for (const [option, value] of Object.entries({ mask, rowWeights, rowLosses })) {
    if (value !== undefined && !isList(value)) checkOptions(operation, option, value, names);
  }
  if (temperatures !== undefined && !isList(temperatures)) {
    const softened = studentNames(pairs.filter(({ usesTemperatures }) => usesTemperatures));
    checkOptions(operation, 'temperatures', temperatures, softened);
  }
  if (typeof normalizer === 'object') checkOptions(operation, 'normalizer', normalizer, names);
  if (typeof normalizer !== 'number') return;
  const present = names.filter((name) => Object.hasOwn(studentLayers, name));
  const rows = present.map((name) => studentLayers[name]?.rows);
  const different = rows.find((count) => count !== rows[0]);
  if (different === undefined) return;
  refuse(
    'LAYER',
    operation,
    'normalizer',
    'be given by layer where layers differ in rows',
    `${normalizer} for ${rows[0]} and ${different} rows`,
    { hint: 'pass { [layer]: denominator }' },
  );
}

/** An output buffer of a layer, and its name in errors. */
interface LayerTarget {
  readonly argument: string;
  readonly target: { readonly data: FloatArray };
}

/**
 * Throws unless each output buffer has the shape and dtype of its layer, and shares no memory with
 * an input or with another output buffer. Sets the row losses to 0.
 */
export function openTargets<T extends FloatArray>(
  call: LayerwiseArguments<T>,
  pairs: readonly ReadPair[],
  learned: readonly Parameter<T>[],
  held: readonly HeldMatrix<T>[],
): void {
  const losses = lossTargets(call, pairs);
  const targets = [...gradientTargets(call, pairs), ...losses];
  for (const [i, { argument, target }] of targets.entries()) {
    checkApartFromLayers(call, pairs, argument, target);
    checkApartFromHeld(call.operation, argument, target, learned, held);
    for (const other of targets.slice(0, i)) {
      checkApart(call.operation, argument, target, other.target, other.argument);
    }
  }
  for (const { target } of losses) target.data.fill(0);
}

function gradientTargets<T extends FloatArray>(
  { operation, studentLayers, options: { gradients } }: LayerwiseArguments<T>,
  pairs: readonly ReadPair[],
): LayerTarget[] {
  if (gradients === undefined) return [];
  checkOptions(operation, 'gradients', gradients, studentNames(pairs));
  const given = Object.entries(gradients).filter(([, target]) => target !== undefined);
  return given.map(([name, target]) => {
    const argument = `gradients.${name}`;
    const student = pickLayer(operation, 'studentLayers', studentLayers, name);
    checkMatrix(operation, `studentLayers.${name}`, student);
    checkBuffer(operation, argument, target, student);
    return { argument, target };
  });
}

function lossTargets<T extends FloatArray>(
  { operation, studentLayers, options: { rowLosses } }: LayerwiseArguments<T>,
  pairs: readonly ReadPair[],
): LayerTarget[] {
  const targets: LayerTarget[] = [];
  for (const name of studentNames(pairs)) {
    const losses = listOf(rowLosses, name);
    if (losses === undefined || !Object.hasOwn(studentLayers, name)) continue;
    const argument = isList(rowLosses) ? 'rowLosses' : `rowLosses.${name}`;
    checkRowLosses(operation, argument, losses, studentLayers[name]!.rows);
    if (isList(rowLosses) && targets.length > 0) continue; // all layers share one array
    targets.push({ argument, target: { data: losses } });
  }
  return targets;
}

function checkApartFromLayers<T extends FloatArray>(
  { operation, studentLayers, teacherLayers, labels, options }: LayerwiseArguments<T>,
  pairs: readonly ReadPair[],
  argument: string,
  target: LayerTarget['target'],
): void {
  for (const pair of pairs) {
    const input = own(studentLayers, pair.student);
    checkApart(operation, argument, target, input, `studentLayers.${pair.student}`);
    const teacher = own(teacherLayers, pair.teacher);
    const teacherName = `teacherLayers.${pair.teacher}`;
    if (teacher) checkApartFromTeacher(operation, argument, target, teacher, teacherName);
    const [mask, rowWeights, temperatures] = [
      listOf(options.mask, pair.student),
      listOf(options.rowWeights, pair.student),
      listOf(options.temperatures, pair.student),
    ];
    const ofRows = { labels, mask, rowWeights, temperatures };
    checkApartFromRowInputs(operation, argument, target, ofRows);
  }
}

/** Returns the names of the student's layers that are read, each once. */
export function studentNames(pairs: readonly ReadPair[]): string[] {
  return [...new Set(pairs.map(({ student }) => student))];
}
