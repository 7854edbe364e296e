import type { TeacherOutput } from '../call/batch.js';
import { GradientSink } from '../call/gradient.js';
import { ParameterSums } from '../call/parameter.js';
import type { Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { checkCall, checkOutputs } from './checks.js';
import { Chunks, type HeadCall } from './chunks.js';
import { ofRows, ofRowsAndHead } from './diagnosis.js';
import { HeadGradientOutputs } from './gradients.js';
import type { HeadLogits } from './head.js';
import type { RowwiseStrategy, ThroughHeadOptions, ThroughHeadResult } from './options.js';
import { Total } from './total.js';

/**
 * Computes a loss of logits that never exist as a whole, and its gradients by what makes them:
 *
 *     logits = hidden · weight + bias,   loss = strategy(logits, teacher, labels)
 *     G = d loss / d logits
 *     d hidden = G · weightᵀ,   d weight = hiddenᵀ · G,   d bias = Σ rows of G
 *
 * Use it for the head of a language model, whose logits and their gradient take more memory than
 * all else: at 2,048 rows × 32,000 columns it needs less than an eighth of that, in about the same
 * time. The logits are computed chunk by chunk; the strategy evaluates each, with one denominator
 * for all. Loss and gradients are those of the whole matrix, to rounding.
 *
 * @param strategy - a loss that is a sum over rows, see {@link RowwiseStrategy}, with or without
 *   parameters of its own, or a hybrid of such losses that is bound to no layer
 * @param student - hidden states, shape [rows, width], weight [width, columns] and,
 *   if the head has one, bias [1, columns]
 * @param teacher - a constant: a matrix of logits, shape [rows, columns]; `SparseTargets`, where
 *   the strategy takes them; or hidden states and head of the teacher, whose width may be another
 *   one and whose logits do not exist either
 * @param labels - one label a row, see {@link Labels}
 * @param options - mask, weights, temperatures and losses of rows, normalizer; size of a chunk;
 *   gradients to write
 * @returns the loss, a double; the gradients, in the number format of the student; the number of
 *   rows that took part
 * @throws {DistillationError} MISPLACED_OPTION for a strategy that is no sum over rows, and for one
 *   that knows its rows by their place ({@link ContrastiveRepresentationDistillationStrategy});
 *   LAYER for an entry of a hybrid that is bound to a layer; SHAPE_MISMATCH, DTYPE_MISMATCH,
 *   OVERLAP; NOT_FINITE, naming the row of the batch; and what the strategy throws
 * @throws {TypeError} for arguments of the wrong type
 *
 * @remarks Cost: 3 products of rows × width × columns multiplications, and one more where the
 * teacher comes as a head; excluded rows, such as prompt tokens, cost nothing. Beside inputs and
 * gradients, there are `chunkRows` rows of logits, of their gradient, and of the logits of a
 * teacher that comes as a head, each with its row of hidden states.
 *
 * Threads: the products take most of the time. In float32, they are computed in place and on the
 * threads of a {@link MatrixArena} if `student.weight`, `gradients.weight` and the `weight` of a
 * teacher that comes as a head are matrices of that arena; `hidden` may be anywhere. The number of
 * threads changes no bit. The call needs room in the arena, and gives it back: 8 × `chunkRows` ×
 * (width + columns) bytes, half as much again for a teacher that comes as a head of the same width,
 * and 649 KiB for each thread. What finds no room, a matrix that is elsewhere, a `weight` to add to
 * (`accumulate`), float64 and the scalar kernel are computed by copying, on one thread.
 *
 * Each chunk adds its part of d weight in the number format of the student, and each addition
 * rounds by at most half a unit in the last place: 2,048 rows in chunks of 112 rows are 18
 * additions, in chunks of one row 2,048.
 *
 * Limits: the head is linear. A head that caps its logits, `cap · tanh(logits / cap)` as in Gemma
 * 2, is not this head: its loss and gradients would be others, without an error. A constant factor
 * belongs into the weight. A strategy that refuses logits which look like probabilities looks at
 * each chunk by itself. `rowWeights`, `temperatures` and `rowLosses` have an element for each row
 * of the batch; the `components` of a hybrid are sums over all chunks.
 *
 * @example
 * import { computeThroughHead, Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ResponseDistillationStrategy({ temperature: 2 });
 * const student = {
 *   hidden: Matrix.fromRows([[1, 0.5], [-1, 2]]), // 2 tokens, width 2
 *   weight: Matrix.fromRows([[0.5, -1, 0], [1, 0, 2]]), // 3 words
 * };
 * const teacher = {
 *   hidden: Matrix.fromRows([[2], [-1]]), // width 1
 *   weight: Matrix.fromRows([[1, 0, 3]]),
 * };
 * const { loss, gradients } = computeThroughHead(strategy, student, teacher, Int32Array.of(2, 0));
 * console.log(loss.toFixed(4), gradients.weight.rows, gradients.weight.columns); // 2.0096 2 3
 */
export function computeThroughHead<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
>(
  strategy: RowwiseStrategy<T, Sparse>,
  student: HeadLogits<T>,
  teacher: Matrix<T> | NoInfer<Sparse> | HeadLogits<T>,
  labels?: Labels<T>,
  options: ThroughHeadOptions<T> = {},
): ThroughHeadResult<T> {
  const operation = 'computeThroughHead';
  const given = teacher as TeacherOutput<T> | HeadLogits<T>;
  const call = checkCall(operation, strategy, student, given, labels, options);
  const { gradients, accumulate } = checkOutputs(call, strategy, options);
  const chunks = new Chunks(call);
  try {
    const part = `${operation} → ${strategy.name}`;
    for (const rows of chunks.rows()) {
      ofRows(call, rows, () => strategy.checkRequest(chunks.blank(rows, part)));
    }
    call.rowLosses?.fill(0);
    const outputs = new HeadGradientOutputs(student, gradients, accumulate);
    return evaluate(call, strategy, chunks, outputs, accumulate);
  } finally {
    chunks.close();
  }
}

/** Evaluates the strategy on each chunk, and completes the gradients. */
function evaluate<T extends FloatArray, Sparse extends SparseTargets<T>>(
  call: HeadCall<T>,
  strategy: RowwiseStrategy<T, Sparse>,
  chunks: Chunks<T>,
  outputs: HeadGradientOutputs<T>,
  accumulate: boolean,
): ThroughHeadResult<T> {
  const { operation, inputs, rowLosses } = call;
  const part = `${operation} → ${strategy.name}`;
  const sums = new ParameterSums(call.learned);
  const total = new Total();
  try {
    for (const rows of chunks.rows()) {
      const losses = rowLosses && new Float64Array(rows.length);
      const matrices = chunks.part(rows);
      const sink = new GradientSink(matrices.byLogits, true);
      total.add(
        ofRowsAndHead(call, rows, () =>
          strategy.contribute(chunks.request(rows, part, losses), sink),
        ),
      );
      sink.finish();
      outputs.add(rows, matrices);
      for (const [i, row] of rows.entries()) if (losses) rowLosses[row] = losses[i]!;
    }
    ofRowsAndHead(call, inputs.rows, () => outputs.finish(operation));
    sums.check(operation, accumulate);
    sums.commitGradients();
    return { ...total.result(), gradients: outputs.commit(), count: inputs.count };
  } finally {
    sums.close();
  }
}
