// The entry point for TensorFlow.js together with the main one, on TensorFlow.js itself. See
// ../tarball.check.ts.
import * as tf from '@tensorflow/tfjs';
import {
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  LinearProjection,
  ResponseDistillationStrategy,
} from 'knowledge-distillation';
import { distillationLoss, distillationLossAsync, fitLoss } from 'knowledge-distillation/tfjs';

async function main(): Promise<void> {
  const projection = new LinearProjection(3, 4);
  const hybrid = new HybridDistillationStrategy([
    { strategy: new ResponseDistillationStrategy(), weight: 0.5 },
    { strategy: new FeatureDistillationStrategy({ projection }), weight: 0.5, layer: 'hidden' },
  ]);
  const weights = tf.variable(tf.tensor2d([[0.1, 0.2, 0.3]]));
  const output = () => tf.matMul(tf.ones([2, 1]), weights);
  const layers = () => ({ output: output(), hidden: output() });
  const teacher = {
    output: tf.tensor2d([
      [1, 0, 0],
      [0, 2, 1],
    ]),
    hidden: tf.ones([2, 4]),
  };
  const labels = tf.tensor1d([0, 1], 'int32');

  const loss = distillationLoss(tf, hybrid);
  // The parameters are found only if both entry points share the base class.
  const variables: readonly tf.Variable[] = loss.variables;
  if (variables.length !== 1) throw new Error(`${variables.length} variables, not 1`);
  const now: tf.Scalar = loss(layers(), teacher, labels);
  const later = await distillationLossAsync(tf, hybrid)(layers, teacher, labels);
  const [a, b] = [now.dataSync()[0], tf.train.sgd(0).minimize(later, true)?.dataSync()[0]];
  if (a === undefined || a !== b) throw new Error(`the losses are ${a} and ${b}`);

  const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [1] })] });
  model.compile({ optimizer: 'sgd', loss: fitLoss(tf, new ResponseDistillationStrategy()) });
  await model.fit(tf.ones([2, 1]), teacher.output, { verbose: 0 });
}

main().catch((error: unknown) => {
  throw error;
});
