// The words of an error.

import type { ErrorDetails } from './errorDetails.js';
import { typeTag } from './numeric.js';

/**
 * The message of an error.
 *
 * @param sentence - stands for "argument must …, got …" where it is given
 */
export function describe(details: ErrorDetails, hint?: string, sentence?: string): string {
  const { operation } = details;
  return `${operation}: ${sentence ?? ruleOf(details)}${hint ? `; ${hint}` : ''}`;
}

function ruleOf({ code, argument, expected, received, row, column }: ErrorDetails): string {
  if (code === 'UNKNOWN_OPTION') {
    const noun = argument.endsWith('options') ? 'option' : `key of ${argument}`;
    return `unknown ${noun} ${received}`;
  }
  const inColumn = column === undefined ? '' : `, column ${column}`;
  const subject = row === undefined ? argument : `${argument} row ${row}${inColumn}`;
  if (code === 'SHAPE_MISMATCH') return `${subject} has shape ${received}, expected ${expected}`;
  if (code === 'NOT_FINITE') return `${subject} is ${received}`;
  return `${subject} must ${expected}, got ${received}`;
}

/** Formats a value for a message: short, and without calling methods of the value. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'bigint') return `${value}n`;
  if (Object(value) !== value) return String(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  const name = className(value as object);
  return name === 'Object' ? 'an object' : `an object of type ${name}`;
}

/** The name of a class. A bundler that renames classes leaves one or two letters of it. */
function className(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  // esbuild writes _Name for a class that refers to itself, and Rollup Name$1 for a name twice.
  const own = typeof name === 'string' ? name.replace(/^_+|\$\d+$/g, '') : '';
  return own.length > 2 ? own : typeTag(value);
}
