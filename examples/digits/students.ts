import * as tf from '@tensorflow/tfjs-core';
import { type ComponentLoss, LinearProjection, UNLABELED } from 'knowledge-distillation';
import { distillationLoss } from 'knowledge-distillation/tfjs';
import { batchesOf } from '../shared/batches.js';
import { Phase } from '../shared/progress.js';
import { Random } from '../shared/random.js';
import { agreement } from '../shared/statistics.js';
import type { Digits } from './data.js';
import { chooseStratified, hideLabels, mixedBatches } from './fewLabels.js';
import type { Method } from './methods.js';
import { averageComponents, type CurvePoint, type Run } from './results.js';
import type { Settings } from './settings.js';
import type { Teacher } from './teacher.js';
import { classify, Trainer } from './training.js';
import { Transformer } from './transformer.js';

const CURVE_POINTS = 10;
/** Number of steps over which the components are averaged for the report. */
const LAST_STEPS = 50;

/**
 * Trains one student. For one seed, all methods start from the same weights and see the same
 * labels.
 */
export function teachStudent(
  method: Method,
  seed: number,
  teacher: Teacher,
  training: Digits,
  heldOut: Digits,
  { student: settings, ...common }: Settings,
): Run {
  const { steps } = settings.training;
  const labelled = chooseStratified(
    training.labels,
    common.labelledPerClass,
    new Random(seed, 'labelled'),
  );
  const labels = hideLabels(training.labels, labelled);
  const random = new Random(seed, 'batches');
  const batches = method.labelledOnly
    ? batchesOf(labelled, common.batch, random)
    : mixedBatches(labelled, common.labelledPerBatch, labels.length, common.batch, random);

  const projection = new LinearProjection(settings.model.width, teacher.width, { seed });
  const loss = distillationLoss(tf, method.createStrategy(projection));
  const model = new Transformer(settings.model, seed);
  const trainer = new Trainer({
    ...settings.training,
    model,
    images: training.images,
    batches,
    variables: [...Object.values(model.weights), ...loss.variables],
    objective: (outputs, indices) => {
      const batchLabels = indices.map((index) => labels[index]!);
      const mask = batchLabels.map((label) => (label === UNLABELED ? 0 : 1));
      const options = method.labelledOutputOnly ? { mask: { output: mask } } : {};
      return loss(outputs, teacher.recorded.of(indices), batchLabels, options);
    },
  });
  const phase = new Phase(`${method.name}, seed ${seed}`, steps);
  const curve: CurvePoint[] = [];
  const lastComponents: (readonly ComponentLoss[])[] = [];
  for (let step = 1; step <= steps; step++) {
    trainer.step();
    if (step > steps - LAST_STEPS) lastComponents.push(loss.components);
    if (step % (steps / CURVE_POINTS) === 0) {
      curve.push({ step, accuracy: agreement(classify(model, heldOut), heldOut.labels) });
    }
    phase.update(step);
  }
  const classes = classify(model, heldOut);
  const accuracy = agreement(classes, heldOut.labels);
  phase.finish(`${(100 * accuracy).toFixed(1)} % held-out accuracy`);
  const { parameterCount: parameters } = model;
  model.dispose();
  loss.dispose();
  return {
    seed,
    parameters,
    accuracy,
    agreement: agreement(classes, teacher.heldOutClasses),
    curve,
    components: averageComponents(lastComponents),
  };
}
