// The entry point for jax-js together with the main one, on jax-js itself. See ../tarball.check.ts.
import * as jax from '@jax-js/jax';
import {
  DistillationError,
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  ResponseDistillationStrategy,
} from 'knowledge-distillation';
import { distillationValueAndGrad, type ValueAndGrad } from 'knowledge-distillation/jax';

const { numpy: np } = jax;

async function main(): Promise<void> {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
  const teacher = np.array([[1, 2, 3]]);
  const response = distillationValueAndGrad(jax, new ResponseDistillationStrategy());
  const same: ValueAndGrad<jax.Array> = await response(
    (x: jax.Array) => x,
    teacher.ref,
    teacher.ref,
  );
  if (same.loss !== 0) throw new Error(`the loss is ${same.loss}`);
  if (String(same.gradient.js()) !== '0,0,0') throw new Error('the gradient is not 0');

  const hybrid = new HybridDistillationStrategy([
    { strategy: new ResponseDistillationStrategy(), weight: 0.5 },
    { strategy: new FeatureDistillationStrategy(), weight: 0.5, layer: 'hidden' },
  ]);
  const { components, gradient } = await distillationValueAndGrad(jax, hybrid)(
    ({ w }: { w: jax.Array }) => ({ output: w.ref, hidden: w }),
    { w: np.array([[1, 2, 5]]) },
    { output: teacher.ref, hidden: teacher.ref },
  );
  if (components.length !== 2) throw new Error(`${components.length} components, not 2`);
  gradient.w.dispose();

  const refused: unknown = await response((x: jax.Array) => x, np.array([1]), teacher).catch(
    (error: unknown) => error,
  );
  if (!(refused instanceof DistillationError)) throw refused;
}

main().catch((error: unknown) => {
  throw error;
});
