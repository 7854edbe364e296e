import { type BatchRequest, inputsOf } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { CountedLoss, IDistillationStrategy } from '../../call/options.js';
import { addGradientsOf } from '../../call/parameter.js';
import { checkSameShape, checkTeacherRows } from '../../core/checks.js';
import { checkLoss } from '../../core/errors.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';

/**
 * Evaluates a strategy that only implements the interface: adds its gradient to the sink and
 * returns its loss.
 */
export function evaluateBare<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  request: BatchRequest<T>,
  sink: GradientSink<T> | undefined,
): CountedLoss {
  const { rows, count } = inputsOf(request, false);
  checkTeacherRows(request.operation, request.student, request.teacher);
  const { operation, student, labels, mask, rowWeights, temperatures, learned } = request;
  const normalizer = request.normalizer ?? Math.max(count, 1);
  const rowLosses = request.rowLosses && new Float64Array(student.rows);
  const options = {
    normalizer,
    ...(mask && { mask }),
    ...(rowWeights && { rowWeights }),
    ...(temperatures && { temperatures }),
    ...(rowLosses && { rowLosses }),
  };
  const teacher = request.teacher as Matrix<T>; // inputsOf has refused sparse teachers
  const call = [student, teacher, labels, options] as const;
  const copyRowLosses = () => {
    for (const row of rows) if (rowLosses) request.rowLosses?.add(row, rowLosses[row]!);
  };
  if (!sink) {
    const loss = checkLoss(operation, strategy.computeLoss(...call));
    copyRowLosses();
    return { loss, count };
  }
  const { loss, gradient } = addGradientsOf(learned, sink.scale, () =>
    lossAndGradient(operation, strategy, call),
  );
  copyRowLosses();
  checkSameShape(operation, 'gradient', gradient, student);
  for (const row of rows) sink.add(row, gradient.data, row * gradient.columns);
  sink.check(operation);
  return { loss, count };
}

/** Computes loss and gradient, in one pass if the strategy offers that. */
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
