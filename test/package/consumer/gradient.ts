// checkGradient of `./testing` needs no fast-check, and its declarations compile without it. See
// ../tarball.check.ts.
import { float64, Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
import { checkGradient } from 'knowledge-distillation/testing';

const student = Matrix.fromRows([[0.5, -1]], float64);
const { passed } = checkGradient(
  new ResponseDistillationStrategy(),
  student,
  Matrix.fromRows([[1, 0]], float64),
);
if (!passed) throw new Error('the gradient is wrong');
