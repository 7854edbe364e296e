/**
 * Strategies on tensors of TensorFlow.js. {@link distill} trains a student from a teacher,
 * {@link fitLoss} makes a loss for `model.fit`, and {@link distillationLoss} makes a loss for a
 * training loop of your own.
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
export type { DistillCallbacks } from './distill/callbacks.js';
export { distill } from './distill/distill.js';
export type { DistillHistory, DistillState, Logs } from './distill/history.js';
export type { LayerView } from './distill/layers.js';
export type { DistillOptions, Signal, ValidationOptions } from './distill/options.js';
export type { Batches } from './distill/order.js';
export type { SampleLabels, SampleTensors, StoredOutputs } from './distill/rows.js';
export type { SampleOptions } from './distill/source.js';
export type { StudentFunction, StudentOptions } from './distill/student.js';
export type { Teacher, TeacherFunction } from './distill/teacher.js';
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
export type {
  LayersModel,
  Optimizer,
  Tensor,
  TensorFlow,
  TrainingTensorFlow,
  Variable,
} from './tensorflow.js';
