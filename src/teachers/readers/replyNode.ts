import { checkNumber, refuse, throwShape, throwType } from '../../core/errors.js';
import { SUM_TOLERANCE } from '../../core/labels.js';
import { typeTag } from '../../core/numeric.js';

/** A list in a reply. */
export type List = ArrayLike<unknown>;

/**
 * Log-probabilities up to this value are read as −Infinity, which JSON cannot express: vLLM and
 * OpenAI write −9999 for it, llama.cpp the lowest float32.
 */
const LARGEST_NO_PROBABILITY = -9999;

const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** Names of the root of a reply, which places leave out. */
const ROOTS: readonly (string | number)[] = ['response', 'row'];

/** A value in a reply, with its place, which error messages name. */
export class ReplyNode {
  constructor(
    readonly operation: string,
    readonly value: unknown,
    private readonly key: string | number,
    private readonly parent?: ReplyNode | undefined,
  ) {}

  /** The place in the reply, e.g. `choices[0].prompt_logprobs[17]["151"].logprob`. */
  get place(): string {
    const { key, parent } = this;
    if (!parent) return String(key);
    const isName = typeof key === 'string' && IDENTIFIER.test(key);
    if (isName && !parent.parent && ROOTS.includes(parent.key)) return key;
    if (isName) return `${parent.place}.${key}`;
    return `${parent.place}[${JSON.stringify(key)}]`;
  }

  /** Returns a node at the same place with a value that was decoded from this one. */
  decoded(value: unknown): ReplyNode {
    return new ReplyNode(this.operation, value, this.key, this.parent);
  }

  /** Whether the value is undefined, or null as JSON has it. */
  get isMissing(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** Returns a field of an object. */
  field(name: string): ReplyNode {
    const { value } = this;
    const isObject = typeof value === 'object' && value !== null && !isList(value);
    if (!this.parent && isUnread(value)) {
      const hint = 'await the promise, or the json() of the Response';
      throwType(this.operation, this.place, 'be parsed JSON', value, hint);
    }
    if (!isObject) {
      const hint = this.parent ? undefined : replyHint(value);
      throwType(this.operation, this.place, 'be an object', value, hint);
    }
    if (!this.parent) checkAnswered(this.operation, this.place, value as Record<string, unknown>);
    return new ReplyNode(this.operation, (value as Record<string, unknown>)[name], name, this);
  }

  /** Returns a field of an object that may be missing itself. */
  optional(name: string): ReplyNode {
    return this.isMissing ? new ReplyNode(this.operation, undefined, name, this) : this.field(name);
  }

  /** Returns an item of a list. */
  item(index: number): ReplyNode {
    return new ReplyNode(this.operation, this.list()[index], index, this);
  }

  /** Returns the items of a list. Throws if it is empty; `hint` says how to get items. */
  items(hint?: string): ReplyNode[] {
    const { length } = this.list(hint);
    if (length === 0) {
      refuse('EMPTY', this.operation, this.place, 'hold something', 'an empty array', { hint });
    }
    return Array.from({ length }, (_, i) => this.item(i));
  }

  /** Returns the value as a list; `hint` says how to get one. */
  list(hint?: string): List {
    const { operation, value } = this;
    if (!isList(value)) throwType(operation, this.place, 'be an array', value, hint);
    return value;
  }

  /** Returns this node. Throws unless it is a list of this length; `why` explains the length. */
  sized(length: number, why: string, hint?: string): ReplyNode {
    const { length: given } = this.list();
    if (given === length) return this;
    throwShape(this.operation, this.place, [given], [length], why, hint);
  }

  text(hint?: string): string {
    const { value } = this;
    if (typeof value === 'string') return value;
    throwType(this.operation, this.place, 'be a string', value, hint);
  }

  bytes(hint?: string): Uint8Array {
    const list = this.list(hint);
    if (list instanceof Uint8Array) return list;
    return Uint8Array.from(list, (_, i) => {
      const byte = this.item(i);
      const value = byte.integer(0);
      if (value > 255)
        refuse('OUT_OF_RANGE', this.operation, byte.place, 'be a byte', String(value));
      return value;
    });
  }

  /** Returns the value as a finite number. */
  number(): number {
    const { value } = this;
    if (typeof value !== 'number') throwType(this.operation, this.place, 'be a number', value);
    if (Number.isFinite(value)) return value;
    refuse('NOT_FINITE', this.operation, this.place, 'be finite', String(value));
  }

  /** Returns the value as an unsigned 64-bit word. Refuses numbers that may have lost digits. */
  word(): bigint {
    const { value } = this;
    if (typeof value === 'bigint') return BigInt.asUintN(64, value);
    if (Number.isSafeInteger(value)) return BigInt.asUintN(64, BigInt(value as number));
    throwType(this.operation, this.place, 'be a bigint, or an integer that is exact', value);
  }

  integer(least: number, hint?: string): number {
    const { value } = this;
    const inRange = (x: number) => Number.isSafeInteger(x) && x >= least;
    if (typeof value === 'number' && inRange(value)) return value;
    const expected = `be an integer ≥ ${least}`;
    if (typeof value !== 'number') throwType(this.operation, this.place, expected, value, hint);
    return checkNumber(this.operation, this.place, value, expected, inRange, hint);
  }

  /** Returns a token id. Readers of Parquet give it as a bigint. */
  id(columns: number): number {
    const { value } = this;
    const id = typeof value === 'bigint' ? Number(value) : value;
    return checkTokenId(this.operation, this.place, id, columns);
  }

  /** Returns a log-probability; −Infinity for a value that stands for probability 0. */
  logProbability(): number {
    const { operation, value } = this;
    if (typeof value === 'number' && value <= SUM_TOLERANCE) {
      return value <= LARGEST_NO_PROBABILITY ? -Infinity : value;
    }
    const expected = 'be a log-probability, at most 0';
    if (typeof value !== 'number') throwType(operation, this.place, expected, value);
    if (Number.isNaN(value)) {
      refuse('NOT_FINITE', operation, this.place, 'be finite', String(value));
    }
    refuse('OUT_OF_RANGE', operation, this.place, expected, String(value));
  }
}

/** Hint for a token id that is not below the number of columns. */
export const COLUMNS_HINT = "columns is the size of the student's vocabulary";

/** Throws unless a value is a token id; `or` names other values that are allowed. */
export function checkTokenId(
  operation: string,
  argument: string,
  id: unknown,
  columns: number,
  or = '',
): number {
  if (isTokenId(id, columns)) return id;
  const expected = `be a token id in [0, ${columns})${or}`;
  if (typeof id !== 'number') throwType(operation, argument, expected, id);
  const hint = Number.isInteger(id) && id >= columns ? COLUMNS_HINT : undefined;
  refuse('OUT_OF_RANGE', operation, argument, expected, String(id), { hint });
}

export function isTokenId(id: unknown, columns: number): id is number {
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < columns;
}

/** Whether a value is a promise of a reply, or a Response whose body is not read yet. */
function isUnread(value: unknown): boolean {
  return ['Promise', 'Response'].includes(typeTag(value));
}

/** Throws if the reply is an error message of the server. */
function checkAnswered(operation: string, place: string, reply: Record<string, unknown>): void {
  const { error, object, message, detail } = reply;
  const refusal = error ?? detail ?? (object === 'error' ? message : undefined);
  if (refusal === undefined || refusal === null) return;
  const text = Object(refusal).message ?? refusal;
  const received = typeof text === 'string' ? text : JSON.stringify(text);
  const hint = 'the server refused the request';
  refuse('UNAVAILABLE', operation, place, 'be an answer', `the error "${received}"`, { hint });
}

/** Returns a hint for a value of the wrong type in place of a reply. */
function replyHint(value: unknown): string | undefined {
  if (typeof value === 'string') return 'pass what JSON.parse makes of it';
  return isList(value) ? 'pass each of its items' : undefined;
}

/** Whether a value is an array or a typed array. */
export function isList(value: unknown): value is List {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && typeTag(value) !== 'DataView');
}
