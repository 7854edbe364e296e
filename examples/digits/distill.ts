import * as tf from '@tensorflow/tfjs-core';
import {
  type ComponentLoss,
  type HybridDistillationStrategy,
  type Labels,
  type LayerOutputs,
  type LayerwiseOptions,
  Matrix,
} from 'knowledge-distillation';

export interface DistillationLoss {
  /** Differentiable: its gradient with respect to the student's layers is the library's. */
  readonly loss: tf.Scalar;
  readonly components: readonly ComponentLoss[];
}

/**
 * The bridge from TensorFlow.js to the library and back, in one forward pass: the values of the student's layers
 * go out, the gradients come in as if TensorFlow.js had computed them. Call it inside `tf.variableGrads`.
 */
export function distillationLoss(
  hybrid: HybridDistillationStrategy,
  studentLayers: tf.NamedTensorMap,
  teacherLayers: LayerOutputs,
  labels: Labels,
  options?: LayerwiseOptions,
): DistillationLoss {
  const studentMatrices = toMatrices(studentLayers);
  const { loss, gradients, components } = hybrid.computeLayerwise(
    studentMatrices,
    teacherLayers,
    labels,
    options,
  );
  const layers = Object.keys(gradients).map((name) => ({
    tensor: studentLayers[name]!,
    gradient: gradients[name]!,
  }));
  // For customGrad, what gradFunc returns is the derivative of `value` with respect to the tensors passed below.
  const withGradients = tf.customGrad(() => ({
    value: tf.scalar(loss),
    gradFunc: (upstream: tf.Scalar) =>
      layers.map(({ tensor, gradient }) =>
        tf.mul(upstream, tf.tensor(gradient.data, tensor.shape)),
      ),
  }));
  return { loss: withGradients(...layers.map(({ tensor }) => tensor)), components };
}

/** Layer by layer, a matrix of [product of the leading dimensions, last dimension]. */
export function toMatrices(layers: tf.NamedTensorMap): Record<string, Matrix> {
  return Object.fromEntries(
    Object.entries(layers).map(([name, tensor]) => [
      name,
      Matrix.fromTensor({ data: tensor.dataSync<'float32'>(), shape: tensor.shape }),
    ]),
  );
}
