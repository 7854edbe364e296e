import { refuse } from './errors.js';

/**
 * Allocates memory whose size follows from the arguments of a call.
 *
 * @param operation - the constructor or method that was called
 * @param sizes - the arguments that multiply to the number of elements, by name; each was checked
 *   to be an integer ≥ 0
 * @param create - allocates `length` elements
 * @throws {DistillationError} OUT_OF_RANGE if the engine cannot allocate the elements
 */
export function allocate<R>(
  operation: string,
  sizes: Readonly<Record<string, number>>,
  create: (length: number) => R,
): R {
  let length = 1;
  for (const name in sizes) length *= sizes[name]!;
  try {
    return create(length);
  } catch (error) {
    // Engines differ in the limit and in the message, but all of them throw a RangeError.
    if (!(error instanceof RangeError)) throw error;
    const names = Object.keys(sizes);
    refuse(
      'OUT_OF_RANGE',
      operation,
      names.join(' × '),
      'be a number of elements that the engine can allocate',
      Object.values(sizes).join(' × '),
      { hint: `make ${names.join(' or ')} smaller` },
    );
  }
}

/**
 * Rethrows an error. An engine's error about an array that is too large becomes a
 * `DistillationError` about the student, because the student's rows and columns determine the size
 * of every array of a call.
 */
export function rethrow(
  operation: string,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  error: unknown,
): never {
  // Engines word the message differently. The text is searched because an exhausted stack is a
  // RangeError too.
  const isTooLarge = error instanceof RangeError && /array|alloc/i.test(error.message);
  if (!isTooLarge || 'code' in error) throw error;
  const expected = 'have no more rows and columns than the engine can allocate products of';
  refuse('OUT_OF_RANGE', operation, 'student', expected, `[${rows}, ${columns}]`, {
    hint: 'split the batch into smaller ones',
  });
}
