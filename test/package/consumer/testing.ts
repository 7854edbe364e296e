// The entry point for tests together with the main one: both must share their classes. See
// ../tarball.check.ts.
import fc from 'fast-check';
import {
  DistillationError,
  FeatureDistillationStrategy,
  float64,
  LinearProjection,
  Matrix,
  ResponseDistillationStrategy,
} from 'knowledge-distillation';
import { checkGradient, type GradientReport, strategyLaws } from 'knowledge-distillation/testing';

const projection = new LinearProjection(2, 3, { numeric: float64 });
const feature = new FeatureDistillationStrategy({ projection });
const student = Matrix.fromRows([[0.5, -1]], float64);
const teacher = Matrix.fromRows([[1, 0, 1]], float64);

// 2 elements of the student and 2 × 3 weights; the weights are found only if `instanceof` works
// across the entry points.
const report: GradientReport = checkGradient(feature, student, teacher);
if (!report.passed) throw new Error(`the gradient is wrong: ${JSON.stringify(report.worst)}`);
if (report.coordinates !== 8) throw new Error(`${report.coordinates} entries were checked, not 8`);

try {
  checkGradient(feature, Matrix.fromRows([[1]]) as unknown as typeof student, teacher);
  throw new Error('a float32 student was taken');
} catch (error) {
  if (!(error instanceof DistillationError)) throw error;
}

const laws = strategyLaws(fc, {
  create: () => new ResponseDistillationStrategy({ temperature: 2 }),
  values: 'logits',
  invariances: ['row-shift'],
  float32Tolerance: 1e-4, // its kernels compute in float32, and terms may nearly cancel
});
for (const law of laws) law.check();
