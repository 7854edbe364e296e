import type { ErrorDetails } from '../../src/index.js';

/** Passes a value of the wrong type, as JavaScript callers may. */
export function wrong<T>(value: unknown): T {
  return value as T;
}

/**
 * Returns the error that a call throws: its message, and the fields of every error of the library.
 */
export function refusal(call: () => unknown): Partial<ErrorDetails> & { message: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return Object.assign({ ...error }, { message: error.message });
  }
  throw new Error('the call was accepted');
}
