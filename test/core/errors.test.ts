import { describe, expect, test } from 'vitest';
import { reworded } from '../../src/core/errors.js';
import {
  DistillationError,
  type FeatureDistillationOptions,
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

const misspelt = () =>
  new FeatureDistillationStrategy(wrong<FeatureDistillationOptions>({ metrc: 'mse' }));
const largeWeight = () =>
  new HybridDistillationStrategy([{ strategy: new ResponseDistillationStrategy(), weight: 2 }]);
const list = () => new ResponseDistillationStrategy().computeLoss(wrong<Matrix>([[1]]), one);
const one = Matrix.fromRows([[1]]);

describe('The hint of an error', () => {
  test.each([
    ['an option that is misspelt', misspelt, /^did you mean "metric"\? Known options: /],
    ['a weight above 1', largeWeight, /^or choose weights: 'normalize' or 'free'$/],
    ['a list of rows in place of a matrix', list, /Matrix\.fromRows/],
  ])('is a property, for %s', (_, call, hint) => {
    const { message, hint: said = '' } = refusal(call);
    expect(said).toMatch(hint);
    expect(message.endsWith(`; ${said}`)).toBe(true);
  });

  test('is undefined where no hint applies', () => {
    const error = refusal(() => new ResponseDistillationStrategy({ temperature: 0 }));
    expect(error).not.toHaveProperty('hint');
  });

  test.each([misspelt, largeWeight])('survives the rewording of an error', (call) => {
    const { message, ...details } = refusal(call);
    const error = new DistillationError(details as DistillationError);
    expect(error.message).toBe(message);
    const other = reworded(error, { operation: 'elsewhere' });
    expect(other.message).toBe(message.replace(/^[^:]*/, 'elsewhere'));
    expect(other.hint).toBe(details.hint);
  });

  test('may be the second argument of the constructor', () => {
    const details = {
      code: 'EMPTY',
      operation: 'read',
      argument: 'rows',
      expected: 'hold a row',
      received: 'none',
    } as const;
    const error = new DistillationError(details, 'pass a row');
    expect(error.message).toBe('read: rows must hold a row, got none; pass a row');
    expect(error.hint).toBe('pass a row');
  });
});
