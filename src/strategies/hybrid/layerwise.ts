// One layerwise call: it finds the layers, masks, normalizers and labels that each entry reads, and
// the output buffer of its gradient.

import {
  type BatchRequest,
  checkLabelType,
  type InputsMemo,
  type Overrides,
} from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import { GradientOutput, type HeldMatrix } from '../../call/output.js';
import type { Parameter } from '../../call/parameter.js';
import { RowLossSink } from '../../call/rowOptions.js';
import { refuse } from '../../core/errors.js';
import { IGNORE_INDEX, isClassIndices, type Labels, labelRows } from '../../core/labels.js';
import { checkMatrix, type Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { checkByLayer, openTargets, studentNames } from './layerChecks.js';
import {
  checkAllRead,
  type LabelledPair,
  type LabelUse,
  type LayerPair,
  type LayerwiseArguments,
  layerOf,
  listOf,
  own,
  pickLayer,
  type ReadPair,
} from './layers.js';

/** The request of a pair of layers, shared by the entries that read the same pair. */
interface Read<T extends FloatArray> extends LabelledPair {
  readonly request: Omit<BatchRequest<T>, 'operation' | 'inherited' | 'learned'>;
}

/** One layerwise call; a nested hybrid works on the call of the hybrid around it. */
export class LayerwiseCall<T extends FloatArray> {
  readonly #arguments: LayerwiseArguments<T>;
  readonly #learned: readonly Parameter<T>[];
  readonly #outputs = new Map<string, GradientOutput<T>>();
  readonly #reads: Read<T>[] = [];

  /** Checks what concerns no single entry, before anything is written. */
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
    const names = studentNames(pairs);
    checkAllRead(operation, names, studentLayers);
    const { gradients } = options;
    // The entry that reads a missing layer throws.
    const present = names.filter((name) => Object.hasOwn(studentLayers, name));
    for (const name of present) {
      checkMatrix(operation, `studentLayers.${name}`, studentLayers[name]!);
    }
    checkByLayer(operation, pairs, studentLayers, options);
    openTargets(call, pairs, learned, held);
    for (const name of present) {
      const student = studentLayers[name]!;
      this.#outputs.set(name, new GradientOutput(student, own(gradients, name), accumulate));
    }
  }

  /** Returns the request for an entry: its two layers, with their mask, normalizer and labels. */
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

  /**
   * Returns the sink for the gradient of an entry; `scale` is d(loss of the call) / d(loss of the
   * entry).
   */
  sink(layer: string | LayerPair | undefined, scale: number): GradientSink<T> | undefined {
    return this.#outputs.get(layerOf(layer, 'student'))?.sink.times(scale);
  }

  /** Completes the gradients; throws where the number format cannot hold a sum. */
  finish(): void {
    const { operation } = this.#arguments;
    for (const [name, output] of this.#outputs) output.finish(operation, `gradients.${name}`);
  }

  /** Writes accumulated gradients to their output buffers, once the whole call has succeeded. */
  commit(): void {
    for (const output of this.#outputs.values()) output.commit();
  }

  /** Returns the gradients by student layer. */
  gradients(): Record<string, Matrix<T>> {
    const gradients = [...this.#outputs].map(([name, { gradient }]) => [name, gradient] as const);
    return Object.fromEntries(gradients);
  }

  #read(operation: string, pair: LabelledPair): Read<T> {
    const { studentLayers, teacherLayers, options, labels: given } = this.#arguments;
    const student = pickLayer(operation, 'studentLayers', studentLayers, pair.student);
    const teacher = pickLayer(operation, 'teacherLayers', teacherLayers, pair.teacher);
    const mask = listOf(options.mask, pair.student);
    const rowWeights = listOf(options.rowWeights, pair.student);
    const temperatures = listOf(options.temperatures, pair.student);
    const losses = listOf(options.rowLosses, pair.student);
    const rowLosses = losses && new RowLossSink(losses);
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
        request.labels === labels &&
        request.mask === mask &&
        request.rowWeights === rowWeights &&
        request.temperatures === temperatures &&
        request.student.rows === student.rows,
    )?.request.memo.checked;
    const memo: InputsMemo<T> = { checked: undefined, kept };
    const ofRows = { labels, mask, rowWeights, temperatures, rowLosses };
    return { ...pair, request: { student, teacher, ...ofRows, normalizer, memo } };
  }
}

/**
 * Returns the labels if there is one for each row of the layer. Otherwise returns none, and refuses
 * labels that say which rows to ignore.
 */
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
