/**
 * Strategies as losses of tensors of TensorFlow.js: {@link fitLoss} for `model.fit`, {@link distillationLoss} for a loop of your
 * own.
 *
 * @module knowledge-distillation/tfjs
 */

export type {
  ByLayer,
  LabelTensor,
  LayerwiseLossOptions,
  LossOptions,
  RowsTensor,
  TeacherTensor,
} from '../tensors/evaluation.js';
export type { LossState } from './bridge.js';
export { distill } from './distill/distill.js';
export {
  type DistillationLoss,
  distillationLoss,
  type LayerwiseDistillationLoss,
} from './distillationLoss.js';
export {
  type AsyncDistillationLoss,
  type AsyncLayerwiseDistillationLoss,
  distillationLossAsync,
} from './distillationLossAsync.js';
export { fitLoss } from './fitLoss.js';
export type { Tensor, TensorFlow } from './tensorflow.js';
