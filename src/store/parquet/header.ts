import { Bytes, type Cursor } from './bytes.js';

/** Numbers that Parquet has for encodings. */
export const ENCODINGS = { PLAIN: 0, DELTA_BINARY_PACKED: 5, RLE_DICTIONARY: 8 } as const;

/** An encoding that shards of this library have. */
export type PageEncoding = keyof typeof ENCODINGS;

/** Types of a page, and of a field in the compact protocol of Thrift. */
const DICTIONARY_PAGE = 2;
const DATA_PAGE_V2 = 3;
const FALSE = 2;
const TRUE = 1;
const INT32 = 5;
const STRUCT = 12;

/** Number of the field that has the header of a page of a type. */
const DICTIONARY_HEADER = 7;
const DATA_HEADER = 8;

/** What stands before the bytes of a page. */
export interface PageHeader {
  readonly isDictionary: boolean;
  /** Bytes of the page: repetition levels, definition levels, values. */
  readonly bytes: number;
  readonly crc: number;
  readonly values: number;
  readonly encoding: number;
  /** The rest is for data pages. */
  readonly nulls: number;
  readonly rows: number;
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
}

type Field = readonly [number: number, value: number | boolean | readonly Field[]];

/** Writes the header of a page. */
export function writeHeader(header: PageHeader): Uint8Array {
  const { isDictionary, bytes, crc, values, encoding } = header;
  const data: Field[] = [
    [1, values],
    [2, header.nulls],
    [3, header.rows],
    [4, encoding],
    [5, header.definitionBytes],
    [6, header.repetitionBytes],
    [7, false], // nothing is compressed
  ];
  const dictionary: Field[] = [
    [1, values],
    [2, encoding],
  ];
  const out = new Bytes();
  writeStruct(out, [
    [1, isDictionary ? DICTIONARY_PAGE : DATA_PAGE_V2],
    [2, bytes],
    [3, bytes],
    [4, crc],
    isDictionary ? [DICTIONARY_HEADER, dictionary] : [DATA_HEADER, data],
  ]);
  return out.take();
}

function writeStruct(out: Bytes, fields: readonly Field[]): void {
  let last = 0;
  for (const [field, value] of fields) {
    const step = (field - last) << 4;
    last = field;
    if (typeof value === 'number') {
      out.push(step | INT32);
      out.zigzag(value);
    } else if (typeof value === 'boolean') {
      out.push(step | (value ? TRUE : FALSE));
    } else {
      out.push(step | STRUCT);
      writeStruct(out, value);
    }
  }
  out.push(0);
}

/** Numbers of a struct by the number of their field, nested ones too. */
type Struct = ReadonlyMap<number, number | Struct>;

/** Reads the header of a page that `writeHeader` wrote; throws where it is another. */
export function readHeader(cursor: Cursor): PageHeader {
  const page = readStruct(cursor);
  const isDictionary = page.get(1) === DICTIONARY_PAGE;
  const inner = page.get(isDictionary ? DICTIONARY_HEADER : DATA_HEADER);
  if (!(inner instanceof Map)) throw new Error('a page has no header');
  const number = (struct: Struct, field: number): number => {
    const value = struct.get(field);
    if (typeof value !== 'number') throw new Error('the header of a page lacks a number');
    return value;
  };
  const data = (field: number) => (isDictionary ? 0 : number(inner, field));
  return {
    isDictionary,
    bytes: number(page, 3),
    crc: number(page, 4),
    values: number(inner, 1),
    encoding: number(inner, isDictionary ? 2 : 4),
    nulls: data(2),
    rows: data(3),
    definitionBytes: data(5),
    repetitionBytes: data(6),
  };
}

function readStruct(cursor: Cursor): Struct {
  const fields = new Map<number, number | Struct>();
  let field = 0;
  for (;;) {
    const byte = cursor.next();
    if (byte === 0) return fields;
    field += byte >>> 4;
    const type = byte & 0x0f;
    if (byte >>> 4 === 0) throw new Error('the header of a page is damaged');
    if (type === INT32) fields.set(field, cursor.zigzag());
    else if (type === TRUE || type === FALSE) fields.set(field, type === TRUE ? 1 : 0);
    else if (type === STRUCT) fields.set(field, readStruct(cursor));
    else throw new Error('the header of a page is damaged');
  }
}
