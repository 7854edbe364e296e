// One layerwise call: which layers, masks, normalizers and labels an entry reads, and where its gradient goes.

import {
  type BatchRequest,
  checkLabelType,
  type InputsMemo,
  type Overrides,
} from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import {
  checkApart,
  checkApartFromHeld,
  checkApartFromTeacher,
  GradientOutput,
  type HeldMatrix,
} from '../../call/output.js';
import type { Parameter } from '../../call/parameter.js';
import { checkSameShape } from '../../core/checks.js';
import { checkOptions, refuse } from '../../core/errors.js';
import { IGNORE_INDEX, isClassIndices, type Labels, labelRows } from '../../core/labels.js';
import { checkMatrix, type Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import {
  isList,
  type LayerOutputs,
  type LayerPair,
  type LayerwiseOptions,
  own,
  type TeacherLayerOutputs,
} from './layers.js';

/** Whether a strategy reads labels, ignores them, or does not tell: then it gets them where they fit its rows. */
export type LabelUse = 'reads' | 'ignores' | 'unknown';

/** What an entry reads. */
export interface ReadPair extends LayerPair {
  readonly labels: LabelUse;
}

/** The arguments of a layerwise call. */
export interface LayerwiseArguments<T extends FloatArray> {
  readonly operation: string;
  readonly studentLayers: LayerOutputs<T>;
  readonly teacherLayers: TeacherLayerOutputs<T>;
  readonly labels: Labels<T> | undefined;
  readonly options: Pick<LayerwiseOptions<T>, 'mask' | 'normalizer' | 'gradients'>;
}

/** What an entry shares with others that read the same layers. */
interface Read<T extends FloatArray> extends ReadPair {
  readonly request: Pick<
    BatchRequest<T>,
    'student' | 'teacher' | 'labels' | 'mask' | 'normalizer' | 'memo'
  >;
}

/** One layerwise call; nested hybrids work on the same one. */
export class LayerwiseCall<T extends FloatArray> {
  readonly #arguments: LayerwiseArguments<T>;
  readonly #learned: readonly Parameter<T>[];
  readonly #outputs = new Map<string, GradientOutput<T>>();
  readonly #reads: Read<T>[] = [];

  /** Checks what belongs to no entry alone, before anything is written. */
  constructor(
    call: LayerwiseArguments<T>,
    pairs: readonly ReadPair[],
    learned: readonly Parameter<T>[],
    held: readonly HeldMatrix<T>[],
    accumulate: boolean,
  ) {
    this.#arguments = call;
    this.#learned = learned;
    const { operation, studentLayers, options } = call;
    const names = [...new Set(pairs.map(({ student }) => student))];
    checkByLayer(operation, names, studentLayers, options);
    const { gradients } = options;
    if (gradients !== undefined) checkTargets(call, gradients, pairs, learned, held);
    for (const name of names) {
      if (!Object.hasOwn(studentLayers, name)) continue; // an error only if an entry of weight > 0 reads it
      const student = studentLayers[name]!;
      checkMatrix(operation, `studentLayers.${name}`, student);
      this.#outputs.set(name, new GradientOutput(student, own(gradients, name), accumulate));
    }
  }

  /** What the strategy of an entry is asked: its two layers, and the mask, normalizer and labels that go with them. */
  request(
    operation: string,
    layer: string | LayerPair | undefined,
    labels: LabelUse,
    inherited: Overrides,
  ): BatchRequest<T> {
    const [student, teacher] = [layerOf(layer, 'student'), layerOf(layer, 'teacher')];
    const pair = { student, teacher, labels };
    let read = this.#reads.find(
      (other) => other.student === student && other.teacher === teacher && other.labels === labels,
    );
    if (!read) {
      read = this.#read(operation, pair);
      this.#reads.push(read);
    }
    return { ...read.request, operation, inherited, learned: this.#learned };
  }

  /** Where the gradient of an entry goes whose loss counts `scale` times. */
  sink(layer: string | LayerPair | undefined, scale: number): GradientSink<T> | undefined {
    return this.#outputs.get(layerOf(layer, 'student'))?.sink.times(scale);
  }

  /** Completes the gradients; throws where the format cannot hold a sum. */
  finish(): void {
    const { operation } = this.#arguments;
    for (const [name, output] of this.#outputs) output.finish(operation, `gradients.${name}`);
  }

  /** Once all of the call has succeeded: writes what was to be added to. */
  commit(): void {
    for (const output of this.#outputs.values()) output.commit();
  }

  /** The gradients by student layer. */
  gradients(): Record<string, Matrix<T>> {
    const gradients = [...this.#outputs].map(([name, { gradient }]) => [name, gradient] as const);
    return Object.fromEntries(gradients);
  }

  #read(operation: string, pair: ReadPair): Read<T> {
    const { studentLayers, teacherLayers, options, labels: given } = this.#arguments;
    const student = pickLayer(operation, 'studentLayers', studentLayers, pair.student);
    const teacher = pickLayer(operation, 'teacherLayers', teacherLayers, pair.teacher);
    const mask = isList(options.mask) ? options.mask : own(options.mask, pair.student);
    const normalizer =
      typeof options.normalizer === 'object'
        ? own(options.normalizer, pair.student)
        : options.normalizer;
    if (given !== undefined) checkLabelType(operation, given, student);
    const labels =
      pair.labels === 'reads'
        ? given
        : fittingLabels(operation, given, student, mask, pair.student);
    const kept = this.#reads.find(
      ({ request }) =>
        request.labels === labels && request.mask === mask && request.student.rows === student.rows,
    )?.request.memo.checked;
    const memo: InputsMemo<T> = { checked: undefined, kept };
    return { ...pair, request: { student, teacher, labels, mask, normalizer, memo } };
  }
}

/** Labels of the rows of a layer; if they are for other rows than it has, none, unless they say which rows to ignore. */
function fittingLabels<T extends FloatArray>(
  operation: string,
  labels: Labels<T> | undefined,
  student: Matrix<T>,
  mask: ArrayLike<number> | undefined,
  layer: string,
): Labels<T> | undefined {
  if (labels === undefined || labelRows(labels) === student.rows) return labels;
  if (mask !== undefined || !isClassIndices(labels) || !labels.includes(IGNORE_INDEX)) return;
  refuse(
    'LAYER',
    operation,
    'labels',
    `have no IGNORE_INDEX, or one label for each of the ${student.rows} rows of '${layer}'`,
    `${labels.length} labels with IGNORE_INDEX`,
    { hint: `say which rows of the layer to skip: mask: { ${layer}: … }` },
  );
}

/** A mask or normalizer by layer names layers that are read; one number for all needs equal rows. */
function checkByLayer<T extends FloatArray>(
  operation: string,
  names: readonly string[],
  studentLayers: LayerOutputs<T>,
  { mask, normalizer }: LayerwiseOptions<T>,
): void {
  if (mask !== undefined && !isList(mask)) checkOptions(operation, 'mask', mask, names);
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

/** Throws unless each matrix can take the gradient of its layer: its shape and format, no memory of an input or another. */
function checkTargets<T extends FloatArray>(
  { operation, studentLayers, teacherLayers, labels, options: { mask } }: LayerwiseArguments<T>,
  gradients: Readonly<Record<string, Matrix<T>>>,
  pairs: readonly ReadPair[],
  learned: readonly Parameter<T>[],
  held: readonly HeldMatrix<T>[],
): void {
  const names = [...new Set(pairs.map(({ student }) => student))];
  checkOptions(operation, 'gradients', gradients, names);
  const targets = Object.entries(gradients).filter(([, target]) => target !== undefined);
  for (const [i, [name, target]] of targets.entries()) {
    const argument = `gradients.${name}`;
    const student = pickLayer(operation, 'studentLayers', studentLayers, name);
    checkMatrix(operation, `studentLayers.${name}`, student);
    checkSameShape(operation, argument, target, student);
    for (const pair of pairs) {
      const input = own(studentLayers, pair.student);
      checkApart(operation, argument, target, input, `studentLayers.${pair.student}`);
      const teacher = own(teacherLayers, pair.teacher);
      const teacherName = `teacherLayers.${pair.teacher}`;
      if (teacher) checkApartFromTeacher(operation, argument, target, teacher, teacherName);
    }
    checkApart(operation, argument, target, labels, 'labels');
    for (const each of isList(mask) ? [mask] : Object.values(mask ?? {})) {
      checkApart(operation, argument, target, each, 'mask');
    }
    checkApartFromHeld(operation, argument, target, learned, held);
    for (const [other, matrix] of targets.slice(0, i)) {
      checkApart(operation, argument, target, matrix, `gradients.${other}`);
    }
  }
}

function pickLayer<L>(
  operation: string,
  argument: string,
  layers: Readonly<Record<string, L>>,
  name: string,
): L {
  if (Object.hasOwn(layers, name)) return layers[name]!;
  const received = Object.keys(layers).join(', ') || 'none';
  refuse('LAYER', operation, argument, `have a layer '${name}'`, received);
}

const OUTPUT = 'output';

/** The layer of one side that an entry reads. */
export function layerOf(
  layer: string | LayerPair | undefined = OUTPUT,
  side: 'student' | 'teacher',
): string {
  return typeof layer === 'string' ? layer : layer[side];
}
