import { expect, test } from 'vitest';
import { HiddenLayerStudent } from '../../examples/shared/hiddenLayerStudent.js';
import { Random } from '../../examples/shared/random.js';

test('what it learns by is what its logits change by', () => {
  const random = new Random(1, 'samples');
  const student = new HiddenLayerStudent(6, 5, 3, new Random(1, 'student'));
  const samples = [
    { indices: [0, 3], values: [0.5, -1] },
    { indices: [1, 2, 5], values: [1, 0.25, 2] },
  ];
  const slopes = Float32Array.from({ length: 6 }, () => random.normal());
  const gradient = student.backward(samples, slopes);
  const loss = () => student.forward(samples).reduce((sum, z, i) => sum + z * slopes[i]!, 0);
  const step = 2 ** -7;
  student.weights.forEach((weight, i) => {
    student.weights[i] = weight + step;
    const above = loss();
    student.weights[i] = weight - step;
    const below = loss();
    student.weights[i] = weight;
    expect(gradient[i]).toBeCloseTo((above - below) / (2 * step), 4);
  });
});
