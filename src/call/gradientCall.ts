import { checkBoolean, refuse } from '../core/errors.js';
import type { FloatArray } from '../core/numeric.js';
import type { BatchRequest, DistillationBatch } from './batch.js';
import type { GradientSink } from './gradient.js';
import { type EvaluationOptions, type LossAndGradient, resultOf } from './options.js';
import { checkTarget, GradientOutput, type HeldMatrix } from './output.js';
import { ParameterSums } from './parameter.js';

/**
 * Evaluates a batch with its gradient. The gradients of the student and of the parameters are
 * written only after the whole call has succeeded; a `gradient` that is overwritten, not
 * accumulated, is the exception.
 *
 * @param request - the arguments as the caller passed them, with which `gradient` may share no
 * memory
 * @param held - matrices that the strategy reads beside the arguments
 * @param evaluate - adds the gradient to the sink and returns the loss
 */
export function evaluateWithGradient<T extends FloatArray>(
  batch: DistillationBatch<T>,
  request: BatchRequest<T>,
  { gradient: given, accumulate = false }: EvaluationOptions<T>,
  held: readonly HeldMatrix<T>[],
  evaluate: (sink: GradientSink<T>) => number,
): LossAndGradient<T> {
  const { operation, student, learned } = batch;
  if (checkBoolean(operation, 'accumulate', accumulate) && !given && learned.length === 0) {
    refuse('MISPLACED_OPTION', operation, 'accumulate', 'come with a gradient to add to', 'none');
  }
  if (given !== undefined) checkTarget(given, request, learned, held);
  const output = new GradientOutput<T>(student, given, accumulate);
  const sums = learned.length === 0 ? undefined : new ParameterSums(learned);
  try {
    const loss = evaluate(output.sink);
    output.finish(operation, 'gradient');
    sums?.check(operation, accumulate);
    sums?.commitGradients();
    output.commit();
    return resultOf(loss, output.gradient, batch);
  } finally {
    sums?.close();
  }
}
