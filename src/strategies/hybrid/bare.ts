import { type BatchRequest, inputsOf } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { CountedLoss, IDistillationStrategy } from '../../call/options.js';
import { addGradientsOf } from '../../call/parameter.js';
import { checkSameShape } from '../../core/checks.js';
import { checkLoss } from '../../core/errors.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';

/** The loss of a strategy that only implements the interface; its gradient goes to the sink. */
export function evaluateBare<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  request: BatchRequest<T>,
  sink: GradientSink<T> | undefined,
): CountedLoss {
  const { rows } = inputsOf(request, false);
  const { operation, student, labels, mask, learned } = request;
  const normalizer = request.normalizer ?? Math.max(rows.length, 1);
  const options = { normalizer, ...(mask && { mask }) };
  const teacher = request.teacher as Matrix<T>; // as was checked
  const call = [student, teacher, labels, options] as const;
  if (!sink) {
    return { loss: checkLoss(operation, strategy.computeLoss(...call)), count: rows.length };
  }
  const { loss, gradient } = addGradientsOf(learned, sink.scale, () =>
    lossAndGradient(operation, strategy, call),
  );
  checkSameShape(operation, 'gradient', gradient, student);
  for (const row of rows) sink.add(row, gradient.data, row * gradient.columns);
  sink.check(operation);
  return { loss, count: rows.length };
}

/** Both, in one pass where the strategy offers that. */
export function lossAndGradient<T extends FloatArray>(
  operation: string,
  strategy: IDistillationStrategy<T>,
  call: Readonly<Parameters<IDistillationStrategy<T>['computeLoss']>>,
): { loss: number; gradient: Matrix<T> } {
  if (strategy.computeLossAndGradient) {
    const { loss, gradient } = strategy.computeLossAndGradient(...call);
    return { loss: checkLoss(operation, loss), gradient };
  }
  const loss = checkLoss(operation, strategy.computeLoss(...call));
  return { loss, gradient: strategy.computeGradient(...call) };
}
