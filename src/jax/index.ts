/**
 * Strategies as losses of models in jax-js: {@link distillationValueAndGrad}.
 *
 * @module knowledge-distillation/jax
 */

export type {
  ByLayer,
  LabelTensor,
  LayerwiseLossOptions,
  LossOptions,
  RowsTensor,
  TeacherTensor,
} from '../tensors/evaluation.js';
export {
  type DistillationValueAndGrad,
  distillationValueAndGrad,
  type LayerwiseDistillationValueAndGrad,
  type ValueAndGrad,
} from './distillationValueAndGrad.js';
export type { Jax, JaxArray, Outputs } from './jax.js';
