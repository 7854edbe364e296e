/**
 * Strategies as losses of what models in jax-js put out: {@link distillationValueAndGrad}.
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
