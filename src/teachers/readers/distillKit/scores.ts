import { throwShape, throwType } from '../../../core/errors.js';
import type { ReplyNode } from '../replyNode.js';
import { unpackBits } from './bits.js';
import { indexBits, readLayout, readLegacyLayout } from './config.js';
import { approximate, bytesOf, decompress } from './decompress.js';

/** The tokens at a position, before they are checked. */
export interface Scores {
  readonly ids: ReplyNode;
  readonly logs: ReplyNode;
  /** Number of leading log-probabilities that are stored exactly and must descend. */
  readonly sorted: number;
}

/** Reads the scores of every position. */
export interface ScoreReader {
  readonly positions: readonly ReplyNode[];
  /** Size of the vocabulary; undefined without a configuration. */
  readonly vocabulary: ReplyNode | undefined;
  /** Whether the stored values can differ from the teacher's in the first 3 digits. */
  readonly isLossy: boolean;
  read(position: ReplyNode, index: number): Scores;
}

/** Hint for a size that differs from the size in the configuration. */
const CHECK = 'is it the config of this data set?';
const CONFIG = 'pass the parsed compression_config.yaml of the data set';

/** Returns the reader of the format that the row has, one of three. */
export function readScores(row: ReplyNode, config: ReplyNode): ScoreReader {
  const has = (...names: readonly string[]) => names.every((name) => !row.field(name).isMissing);
  if (has('token_ids', 'top_values')) return readRaw(row);
  if (config.isMissing) throwType(row.operation, 'config', 'be an object', config.value, CONFIG);
  if (has('packed_indices', 'exact_values', 'coeffs')) return readLegacy(row, config);
  return readCompressed(row, config);
}

function readRaw(row: ReplyNode): ScoreReader {
  const values = row.field('top_values');
  return {
    positions: row.field('token_ids').items(),
    vocabulary: undefined,
    isLossy: false,
    read: (ids, index) => ({ ids, logs: itemOf(values, index), sorted: 0 }),
  };
}

function readCompressed(row: ReplyNode, config: ReplyNode): ScoreReader {
  const layout = readLayout(config);
  const vocabulary = config.field('d');
  const bits = indexBits(vocabulary.integer(2));
  const size = bytesOf(layout);
  const indices = row.field('bytepacked_indices');
  return {
    positions: row.field('compressed_logprobs').items(),
    vocabulary,
    isLossy: layout.isLossy,
    read: (logs, index) => {
      const ids = itemOf(indices, index);
      const idBytes = Math.ceil((layout.k * bits) / 8);
      const packed = ids.sized(idBytes, 'bytes of k ids', CHECK).bytes();
      const bytes = logs.sized(size, 'bytes by the config', CHECK).bytes();
      return {
        ids: ids.decoded(unpackBits(packed, 0, bits, layout.k)),
        logs: logs.decoded(decompress(bytes, layout)),
        sorted: layout.isDelta ? 0 : layout.exactCount,
      };
    },
  };
}

function readLegacy(row: ReplyNode, config: ReplyNode): ScoreReader {
  const layout = readLegacyLayout(config);
  const vocabulary = config.field('vocab_size');
  const bits = indexBits(vocabulary.integer(2));
  const perWord = Math.floor(64 / bits);
  const words = Math.ceil(layout.k / perWord);
  const [exact, coefficients] = [row.field('exact_values'), row.field('coeffs')];
  return {
    positions: row.field('packed_indices').items(),
    vocabulary,
    isLossy: layout.isLossy,
    read: (ids, index) => {
      const packed = readWords(ids.sized(words, 'words of k ids', CHECK));
      const count = layout.exactCount < layout.k ? layout.termCount : 0;
      const numbers = itemOf(exact, index).sized(layout.exactCount, 'exact_k', CHECK);
      const factors = itemOf(coefficients, index).sized(count, 'one for each term', CHECK);
      const [values, terms] = [readNumbers(numbers), readNumbers(factors)];
      const unpacked = Array.from({ length: layout.k }, (_, i) => {
        const word = packed[Math.floor(i / perWord)]!;
        return Number(BigInt.asUintN(bits, word >> BigInt(bits * (i % perWord))));
      });
      return {
        ids: ids.decoded(unpacked),
        logs: numbers.decoded([...values, ...approximate(terms, layout)]),
        sorted: layout.exactCount,
      };
    },
  };
}

/** Returns the item of a column at a position. Throws if the column is shorter. */
function itemOf(column: ReplyNode, index: number): ReplyNode {
  const { length } = column.list();
  if (index < length) return column.item(index);
  throwShape(column.operation, column.place, [length], [index + 1], 'one for each position');
}

function readNumbers(node: ReplyNode): number[] {
  return Array.from(node.list(), (_, i) => node.item(i).number());
}

function readWords(node: ReplyNode): bigint[] {
  return Array.from(node.list(), (_, i) => node.item(i).word());
}
