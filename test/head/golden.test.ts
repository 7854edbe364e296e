import { describe, expect, test } from 'vitest';
import {
  computeThroughHead,
  type FloatArray,
  float32,
  float64,
  Matrix,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import fixture from '../fixtures/functions/throughHead.json' with { type: 'json' };
import { describeKernels } from '../support/describeKernels.js';

interface Head<Rows> {
  readonly hidden: Rows;
  readonly weight: Rows;
  readonly bias?: Rows | undefined;
}

/** One call with the gradients of PyTorch's autograd. */
interface Golden {
  readonly name: string;
  readonly options: object;
  readonly student: Head<number[][]>;
  readonly teacher: Head<number[][]>;
  readonly labels?: number[];
  readonly mask?: number[];
  readonly normalizer?: number;
  readonly loss: number;
  readonly gradients: Head<number[][]>;
}

const cases: readonly Golden[] = fixture.cases;

describeKernels('computeThroughHead', () => {
  describe.each(cases)('matches PyTorch on $name', (golden) => {
    test.each([
      [float64, undefined],
      [float64, 2],
      [float32, undefined],
      [float32, 2],
    ] as const)('in %o, in chunks of %s', (numeric, chunkRows) => {
      const read = ({ hidden, weight, bias }: Head<number[][]>): Head<Matrix<FloatArray>> => ({
        hidden: Matrix.fromRows<FloatArray>(hidden, numeric),
        weight: Matrix.fromRows<FloatArray>(weight, numeric),
        bias: bias && Matrix.fromRows<FloatArray>(bias, numeric),
      });
      const { student, teacher, labels, mask, normalizer } = golden;
      const { loss, gradients } = computeThroughHead(
        new ResponseDistillationStrategy<FloatArray>(golden.options),
        read(student),
        read(teacher),
        labels && Int32Array.from(labels),
        { mask, normalizer, chunkRows },
      );
      const tolerance = numeric === float64 ? 1e-12 : 2e-6;
      const compare = (found: ArrayLike<number>, expected: readonly number[]) => {
        expect(found.length).toBe(expected.length);
        const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        for (const [i, value] of expected.entries()) {
          expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(tolerance * size);
        }
      };
      compare([loss], [golden.loss]);
      compare(gradients.hidden.data, golden.gradients.hidden.flat());
      compare(gradients.weight.data, golden.gradients.weight.flat());
      compare(gradients.bias?.data ?? [], golden.gradients.bias?.flat() ?? []);
    });
  });
});
