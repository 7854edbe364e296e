import type { TeacherOutput } from '../call/batch.js';
import { GradientSink } from '../call/gradient.js';
import { ParameterSums } from '../call/parameter.js';
import type { Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { checkCall, checkOutputs } from './checks.js';
import { Chunks, type HeadCall } from './chunks.js';
import { withBatchRows, withHeadErrors } from './diagnosis.js';
import { HeadGradientOutputs } from './gradients.js';
import type { HeadLogits } from './head.js';
import { LossSum } from './lossSum.js';
import type { RowwiseStrategy, ThroughHeadOptions, ThroughHeadResult } from './options.js';

/**
 * Computes a loss from hidden states and a linear head, without storing the matrix of logits, and
 * its gradients by the hidden states and by the head.
 *
 * ```math
 * logits = hidden · weight + bias
 * loss = strategy(logits, teacher, labels)
 * G = d loss / d logits
 * d loss / d hidden = G · weightᵀ
 * d loss / d weight = hiddenᵀ · G
 * d loss / d bias = Σ_i G_i
 * ```
 *
 * Use it for the head of a language model, whose logits and their gradient take more memory than
 * everything else. At 2,048 rows × 32,000 columns, it needs less than an eighth of this memory, in
 * about the same time. The logits are computed chunk by chunk, and the strategy evaluates each
 * chunk with the same denominator. Loss and gradients equal those of the whole matrix up to
 * rounding.
 *
 * @param strategy - a strategy whose loss is a sum over rows, see {@link RowwiseStrategy}, or a
 *   hybrid of such strategies that is bound to no layer. It may have learnable parameters
 * @param student - hidden states, shape [rows, width]; weight, shape [width, columns]; and bias, if
 *   the head has one, shape [1, columns]
 * @param teacher - a constant: a matrix of logits, shape [rows, columns]; `SparseTargets`, if the
 *   strategy takes them; or hidden states and head of the teacher, whose width may differ and whose
 *   logits are not stored either
 * @param labels - one label for each row, see {@link Labels}
 * @param options - row options and `normalizer`, the size of a chunk, and output buffers
 * @returns the loss, the gradients in the dtype of the student, and the number of kept rows
 * @throws {DistillationError} `MISPLACED_OPTION` for a strategy that is not a sum over rows, and
 * for one that identifies rows by their index in the batch ({@link
 * ContrastiveRepresentationDistillationStrategy}); `LAYER` for an entry of a hybrid that is bound
 * to a layer; `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `OVERLAP`; `NOT_FINITE`, which names the row of
 * the batch; and the errors of the strategy
 * @throws {TypeError} for arguments of the wrong type
 *
 * @remarks Cost: 3 products of rows × width × columns multiplications, and one more product for a
 * teacher with a head. Excluded rows, such as prompt tokens, cost nothing. Memory, beside inputs
 * and gradients: `chunkRows` rows of logits, of their gradient, and of the logits of a teacher with
 * a head, each with its row of hidden states.
 *
 * Threads: the products take most of the time. In float32, they are computed in place and on the
 * threads of a {@link MatrixArena} if `student.weight`, `gradients.weight` and the `weight` of a
 * teacher with a head are matrices of this arena; `hidden` may be anywhere. The result is the same
 * to the bit for every number of threads. During the call, the arena needs room for 8 × `chunkRows`
 * × (width + columns) bytes, half as much again for a teacher with a head of the same width, and
 * 649 KiB for each thread. The products are computed by copying, on one thread, if there is no
 * room, if a matrix is elsewhere, if `accumulate` adds to `weight`, in float64, and by the scalar
 * kernel.
 *
 * Rounding: each chunk adds its part of the weight's gradient in the dtype of the student, and each
 * addition rounds by at most half a unit in the last place. 2,048 rows are 18 additions in chunks
 * of 112 rows, and 2,048 additions in chunks of one row.
 *
 * Limits: the head is linear. A head that caps its logits by `cap · tanh(logits / cap)`, as in
 * Gemma 2, is not supported, and the call cannot detect it. A constant factor of the logits belongs
 * into the weight. A strategy that refuses logits which look like probabilities examines each chunk
 * separately. `rowWeights`, `temperatures` and `rowLosses` have one element for each row of the
 * batch. The `components` of a hybrid are sums over all chunks.
 *
 * @example
 * ```ts
 * import {
 *   computeThroughHead,
 *   Matrix,
 *   ResponseDistillationStrategy,
 * } from 'knowledge-distillation';
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
 * ```
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
      withBatchRows(call, rows, () => strategy.checkRequest(chunks.placeholder(rows, part)));
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
  const total = new LossSum();
  try {
    for (const rows of chunks.rows()) {
      const losses = rowLosses && new Float64Array(rows.length);
      const matrices = chunks.gradientChunk(rows);
      const sink = new GradientSink(matrices.logitsGradient, true);
      total.add(
        withHeadErrors(call, rows, () =>
          strategy.contribute(chunks.request(rows, part, losses), sink),
        ),
      );
      sink.finish();
      outputs.add(rows, matrices);
      for (const [i, row] of rows.entries()) if (losses) rowLosses[row] = losses[i]!;
    }
    withHeadErrors(call, inputs.rows, () => outputs.finish(operation));
    sums.check(operation, accumulate);
    sums.commitGradients();
    return { ...total.result(), gradients: outputs.commit(), count: inputs.count };
  } finally {
    sums.close();
  }
}
