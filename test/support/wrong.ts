import type { ErrorDetails } from '../../src/index.js';

/** A value that TypeScript would refuse in this place, as JavaScript callers pass it. */
export function wrong<T>(value: unknown): T {
  return value as T;
}

/** What a call throws: its message with the fields that errors of the library carry. */
export function refusal(call: () => unknown): Partial<ErrorDetails> & { message: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return Object.assign({ ...error }, { message: error.message });
  }
  throw new Error('the call was accepted');
}
