import { describe, expect, test } from 'vitest';
import * as readers from '../../../src/teachers/readers/index.js';
import { refusal, wrong } from '../../support/refusal.js';

/** A reader with the types of a JavaScript caller. */
type Reader = (response: unknown, options: { columns: unknown }) => unknown;

const all = Object.entries(readers).map(([name, reader]) => [name, wrong<Reader>(reader)] as const);

describe.each(all)('%s refuses columns', (name, reader) => {
  test.each([
    ['that are more than 32-bit token ids can tell apart', 2 ** 31 + 1, 'at most 2147483648'],
    ['that wrap to a small number', 2 ** 40, 'at most 2147483648'],
    ['of no class', 0, 'an integer ≥ 1'],
    ['that are not whole', 1.5, 'an integer ≥ 1'],
  ])('%s', (_, columns, expected) => {
    const error = refusal(() => reader({}, { columns }));
    expect(error).toMatchObject({ operation: name, argument: 'columns', code: 'OUT_OF_RANGE' });
    expect(error.message).toBe(`${name}: columns must be ${expected}, got ${columns}`);
  });
});
