// Rows that are feature maps, [channels][positions].

import type { DistillationBatch } from '../call/batch.js';
import { checkShape } from '../core/checks.js';
import { checkInteger, checkOptions, throwType } from '../core/errors.js';
import type { FloatArray } from '../core/numeric.js';

/** @inline Number of channels in a row of each side. */
export interface Channels {
  readonly student: number;
  readonly teacher: number;
}

/** Reads the option `channels`: one number for both sides, or one for each side. */
export function readChannels(operation: string, channels: number | Channels): Channels {
  if (typeof channels !== 'number' && typeof channels !== 'object') {
    throwType(operation, 'channels', 'be a number, or { student, teacher }', channels);
  }
  const both = typeof channels === 'number' ? { student: channels, teacher: channels } : channels;
  checkOptions(operation, 'channels', both, ['student', 'teacher']);
  return {
    student: checkInteger(operation, 'channels.student', both.student, 1),
    teacher: checkInteger(operation, 'channels.teacher', both.teacher, 1),
  };
}

/**
 * Throws unless the rows of both sides divide into their channels, with the same number of
 * positions.
 */
export function checkPositions<T extends FloatArray>(
  { operation, student, teacher }: DistillationBatch<T>,
  channels: Channels,
): void {
  const positions = Math.max(1, Math.floor(student.columns / channels.student));
  for (const [side, matrix] of Object.entries({ student, teacher } as const)) {
    const count = side === 'student' ? channels.student : channels.teacher;
    const why = `${count} channels × ${positions} positions`;
    const hint = matrix.columns % count === 0 ? 'or pool one side with poolPositions' : undefined;
    checkShape(operation, side, matrix, [student.rows, count * positions], why, hint);
  }
}
