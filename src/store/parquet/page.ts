import { Bytes, Cursor } from './bytes.js';
import { crc32 } from './crc.js';
import {
  ENCODINGS,
  type PageEncoding,
  type PageHeader,
  readHeader,
  writeHeader,
} from './header.js';
import { packBits, type Run, readRuns, writeRuns } from './runs.js';

const NONE = new Uint8Array(0);

/** A page to be written. */
export interface Page {
  readonly values: Uint8Array;
  /** Number of values; in a list, an empty one counts too. */
  readonly count: number;
  readonly rows: number;
  readonly encoding: PageEncoding;
  readonly isDictionary?: boolean | undefined;
  /** Values of each row of a list; left out for plain columns. */
  readonly lengths?: Int32Array | undefined;
}

/** Returns a page with its header and checksum. */
export function writePage({ values, count, rows, encoding, ...more }: Page): Uint8Array {
  const { isDictionary = false, lengths } = more;
  const repetition = lengths ? repetitionLevels(lengths, count) : NONE;
  const definition = lengths ? writeRuns(definitionRuns(lengths), 1) : NONE;
  const body = new Bytes();
  body.append(repetition);
  body.append(definition);
  body.append(values);
  const header = writeHeader({
    isDictionary,
    bytes: body.length,
    crc: crc32(body.take()),
    values: count,
    encoding: ENCODINGS[encoding],
    nulls: lengths?.reduce((total, length) => total + (length === 0 ? 1 : 0), 0) ?? 0,
    rows,
    definitionBytes: definition.length,
    repetitionBytes: repetition.length,
  });
  const page = new Bytes();
  page.append(header);
  page.append(body.take());
  return page.take();
}

/** 0 for the first value of a row, 1 for those that follow: runs or bits, what is shorter. */
function repetitionLevels(lengths: Int32Array, count: number): Uint8Array {
  const runs: Run[] = [];
  for (const length of lengths) {
    runs.push({ value: 0, length: 1 });
    if (length > 1) runs.push({ value: 1, length: length - 1 });
  }
  const written = writeRuns(runs, 1);
  if (8 * written.length <= count) return written;
  const levels = new Uint8Array(count).fill(1);
  let at = 0;
  for (const length of lengths) {
    levels[at] = 0;
    at += Math.max(length, 1);
  }
  return packBits(levels);
}

/** 1 for a value, 0 for an empty list. */
function definitionRuns(lengths: Int32Array): Run[] {
  const runs: { value: number; length: number }[] = [];
  for (const length of lengths) {
    const value = length > 0 ? 1 : 0;
    const last = runs.at(-1);
    if (last?.value === value) last.length += Math.max(length, 1);
    else runs.push({ value, length: Math.max(length, 1) });
  }
  return runs;
}

/** A page that was read. */
export interface ReadPage {
  readonly header: PageHeader;
  /** Stands at the first value. */
  readonly cursor: Cursor;
  /** Number of values; without empty lists. */
  readonly count: number;
  /** Values of each row of a list. */
  readonly lengths: Int32Array | undefined;
}

/** Reads a page that `writePage` wrote; throws if a bit of it is another. */
export function readPage(cursor: Cursor, isList: boolean): ReadPage {
  const header = readHeader(cursor);
  const body = cursor.take(header.bytes);
  if (crc32(body) !== header.crc) throw new Error('the checksum of a page is wrong');
  const { repetitionBytes, definitionBytes, values, nulls, rows } = header;
  const inner = new Cursor(body);
  const repetition = new Cursor(inner.take(repetitionBytes));
  const definition = new Cursor(inner.take(definitionBytes));
  if (!isList) return { header, cursor: inner, count: values, lengths: undefined };
  const lengths = readLengths(repetition, definition, values, rows);
  return { header, cursor: inner, count: values - nulls, lengths };
}

function readLengths(
  repetition: Cursor,
  definition: Cursor,
  values: number,
  rows: number,
): Int32Array {
  const lengths = new Int32Array(rows);
  let row = -1;
  readRuns(repetition, 1, values, (level, count) => {
    if (level === 0) {
      for (let i = 0; i < count; i++) lengths[++row] = 1;
    } else {
      lengths[row]! += count;
    }
  });
  if (row !== rows - 1) throw new Error('a page has another number of rows');
  let at = 0; // the row in which a run of definition levels begins
  let inRow = 0;
  readRuns(definition, 1, values, (level, count) => {
    let rest = count;
    while (rest > 0) {
      const step = Math.min(rest, lengths[at]! - inRow || 1);
      rest -= step;
      inRow += step;
      if (level === 0) lengths[at] = 0;
      if (inRow >= lengths[at]!) {
        at++;
        inRow = 0;
      }
    }
  });
  return lengths;
}
