// A program of a user, which ../tarball.check.ts compiles and runs as an ES module and as CommonJS.
// It throws if the package does not work.
import {
  DistillationError,
  float64,
  HybridDistillationStrategy,
  type LossAndGradient,
  Matrix,
  ResponseDistillationStrategy,
} from 'knowledge-distillation';
import { distillationLoss } from 'knowledge-distillation/tfjs';

const student = Matrix.fromRows([[0, 0]], float64); // ½, ½
const teacher = Matrix.fromRows([[Math.log(3), 0]], float64); // ¾, ¼
const response = new ResponseDistillationStrategy<Float64Array>({ temperature: 1, alpha: 0 });
const hybrid = new HybridDistillationStrategy<Float64Array>([{ strategy: response, weight: 1 }]);

const expectedLoss = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5); // KL(teacher ‖ student) = 0.1308…
const expectedGradient = [-0.25, 0.25]; // ½ − ¾, ½ − ¼

for (const strategy of [response, hybrid]) {
  const result: LossAndGradient<Float64Array> = strategy.computeLossAndGradient(student, teacher);
  const { loss, gradient } = result;
  if (!(Math.abs(loss - expectedLoss) < 1e-12)) throw new Error(`the loss is ${loss}`);
  expectedGradient.forEach((expected, column) => {
    const actual: number = gradient.get(0, column);
    if (!(Math.abs(actual - expected) < 1e-12)) throw new Error(`d/dx${column} is ${actual}`);
  });
}

const float32Student: Matrix = Matrix.fromRows([[0, 0]]);
const float32Loss: number = new ResponseDistillationStrategy({
  temperature: 1,
  alpha: 0,
}).computeLoss(float32Student, Matrix.fromRows([[Math.log(3), 0]]));
if (!(Math.abs(float32Loss - expectedLoss) < 1e-6)) throw new Error(`float32 gives ${float32Loss}`);

try {
  new ResponseDistillationStrategy({ temperature: 0 });
  throw new Error('a temperature of 0 was taken');
} catch (error) {
  if (!(error instanceof DistillationError)) throw error;
}

try {
  distillationLoss({} as never, new ResponseDistillationStrategy());
  throw new Error('an empty object was taken for TensorFlow.js');
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
}
