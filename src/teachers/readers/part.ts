import { checkNumber, refuse, throwShape, throwType } from '../../core/errors.js';
import { SUM_TOLERANCE } from '../../core/labels.js';
import { typeTag } from '../../core/numeric.js';

/** A list of a reply. */
export type List = ArrayLike<unknown>;

/**
 * Log-probabilities from here down are read as 0. JSON has no −Infinity: vLLM and OpenAI write
 * −9999 for it, llama.cpp the lowest float32.
 */
const NO_PROBABILITY = -9999;

const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** What places begin in; they do not name it. */
const REPLIES: readonly (string | number)[] = ['response', 'row'];

/** A value of a reply, and where it stands there: errors name that place. */
export class Part {
  constructor(
    readonly operation: string,
    readonly value: unknown,
    private readonly key: string | number,
    private readonly parent?: Part | undefined,
  ) {}

  /** The place in the reply, e.g. `choices[0].prompt_logprobs[17]["151"].logprob`. */
  get place(): string {
    const { key, parent } = this;
    if (!parent) return String(key);
    const isName = typeof key === 'string' && IDENTIFIER.test(key);
    if (isName && !parent.parent && REPLIES.includes(parent.key)) return key;
    if (isName) return `${parent.place}.${key}`;
    return `${parent.place}[${JSON.stringify(key)}]`;
  }

  /** The same place, with what was decoded from the value. */
  decoded(value: unknown): Part {
    return new Part(this.operation, value, this.key, this.parent);
  }

  /** Whether there is nothing, as JSON writes it too. */
  get isMissing(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** A field of an object. */
  field(name: string): Part {
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
    return new Part(this.operation, (value as Record<string, unknown>)[name], name, this);
  }

  /** A field of an object that may be missing itself. */
  optional(name: string): Part {
    return this.isMissing ? new Part(this.operation, undefined, name, this) : this.field(name);
  }

  /** An item of a list. */
  item(index: number): Part {
    return new Part(this.operation, this.list()[index], index, this);
  }

  /** The items of a list that has some; `hint` says how to get them. */
  items(hint?: string): Part[] {
    const { length } = this.list(hint);
    if (length === 0) {
      refuse('EMPTY', this.operation, this.place, 'hold something', 'an empty array', { hint });
    }
    return Array.from({ length }, (_, i) => this.item(i));
  }

  /** The list that stands here; `hint` says how to get it. */
  list(hint?: string): List {
    const { operation, value } = this;
    if (!isList(value)) throwType(operation, this.place, 'be an array', value, hint);
    return value;
  }

  /** The same list; throws unless it has this length. `why` says what the length belongs to. */
  sized(length: number, why: string, hint?: string): Part {
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

  /** A finite number. */
  number(): number {
    const { value } = this;
    if (typeof value !== 'number') throwType(this.operation, this.place, 'be a number', value);
    if (Number.isFinite(value)) return value;
    refuse('NOT_FINITE', this.operation, this.place, 'be finite', String(value));
  }

  /** A word of 64 bits. A number in place of a bigint may have lost digits. */
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

  /** A token id, as a number or, out of Parquet, as a bigint. */
  id(columns: number): number {
    const { value } = this;
    const id = typeof value === 'bigint' ? Number(value) : value;
    return checkTokenId(this.operation, this.place, id, columns);
  }

  /** A log-probability; −Infinity for one that stands for no probability. */
  logProbability(): number {
    const { operation, value } = this;
    if (typeof value === 'number' && value <= SUM_TOLERANCE) {
      return value <= NO_PROBABILITY ? -Infinity : value;
    }
    const expected = 'be a log-probability, at most 0';
    if (typeof value !== 'number') throwType(operation, this.place, expected, value);
    if (Number.isNaN(value)) {
      refuse('NOT_FINITE', operation, this.place, 'be finite', String(value));
    }
    refuse('OUT_OF_RANGE', operation, this.place, expected, String(value));
  }
}

/** Throws unless a value is a token id; `or` says what else it may be. */
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
  const hint =
    Number.isInteger(id) && id >= columns
      ? 'columns is the size of the vocabulary that student and teacher share'
      : undefined;
  refuse('OUT_OF_RANGE', operation, argument, expected, String(id), { hint });
}

export function isTokenId(id: unknown, columns: number): id is number {
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < columns;
}

/** Whether a value holds a reply that is still to be read. */
function isUnread(value: unknown): boolean {
  return ['Promise', 'Response'].includes(typeTag(value));
}

/** Throws for what a server says instead of an answer. */
function checkAnswered(operation: string, place: string, reply: Record<string, unknown>): void {
  const { error, object, message, detail } = reply;
  const refusal = error ?? detail ?? (object === 'error' ? message : undefined);
  if (refusal === undefined || refusal === null) return;
  const text = Object(refusal).message ?? refusal;
  const received = typeof text === 'string' ? text : JSON.stringify(text);
  const hint = 'the server refused the request';
  refuse('UNAVAILABLE', operation, place, 'be an answer', `the error "${received}"`, { hint });
}

/** Hint for what is passed in place of a reply. */
function replyHint(value: unknown): string | undefined {
  if (typeof value === 'string') return 'pass what JSON.parse makes of it';
  return isList(value) ? 'pass each of its items' : undefined;
}

/** Whether a value is an array, or a typed array. */
export function isList(value: unknown): value is List {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && typeTag(value) !== 'DataView');
}
