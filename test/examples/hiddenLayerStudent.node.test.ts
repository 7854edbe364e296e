import { expect, test } from 'vitest';
import { HiddenLayerStudent } from '../../examples/shared/hiddenLayerStudent.js';
import { Random } from '../../examples/shared/random.js';

test('the gradient of the student is the derivative of the loss', () => {
  const random = new Random(1, 'gradient');
  const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
  const [features, units, classes] = [6, 5, 4];
  const student = new HiddenLayerStudent(features, units, classes, random);
  student.weights.set(normals(student.weights.length));
  const samples = [
    { indices: [0, 2, 5], values: [1.5, -0.5, 1] },
    { indices: [1, 2], values: [0.25, 2] },
    { indices: [], values: [] },
  ];
  const logitSlopes = normals(samples.length * classes);
  const hiddenSlopes = normals(samples.length * units);
  const sum = (values: Float32Array, slopes: Float32Array) =>
    values.reduce((total, value, i) => total + value * slopes[i]!, 0);
  const loss = () => {
    const { logits, hidden } = student.computeLayers(samples);
    return sum(logits, logitSlopes) + sum(hidden, hiddenSlopes);
  };
  const gradient = student.backward(samples, logitSlopes, hiddenSlopes);
  const step = 1 / 128; // between kinks the loss is linear in each weight
  student.weights.forEach((weight, i) => {
    student.weights[i] = weight + step;
    const above = loss();
    student.weights[i] = weight - step;
    const below = loss();
    student.weights[i] = weight;
    expect(gradient[i]).toBeCloseTo((above - below) / (2 * step), 3);
  });
});
