import { checkNumber, throwShape } from '../../core/errors.js';
import { readNumbers } from './base64.js';
import { checkCount } from './completion.js';
import { isList, Part } from './part.js';
import {
  type Position,
  packReply,
  type ReaderOptions,
  type RowFormat,
  readOptions,
  type TeacherReply,
} from './reply.js';
import { readRow } from './row.js';

/**
 * What {@link readTRL} reads of a reply of TRL's server: arrays in base64, as
 * `response_format: "binary"` gives them, or plain lists of sequences, positions and tokens.
 */
export interface TRLResponse {
  /** float32, little endian, of `shape`. */
  readonly logprobs_b64?: string | null | undefined;
  /** int32, little endian, of `shape`. */
  readonly token_ids_b64?: string | null | undefined;
  /** int32, of as many positions as `shape` says, one at each. */
  readonly actual_token_ids_b64?: string | null | undefined;
  /** Sequences, positions of the longest completion, tokens at each position. */
  readonly shape?: readonly number[] | null | undefined;
  /** Number of tokens of each completion; what follows is padding. */
  readonly completion_lengths?: readonly number[] | null | undefined;
  readonly logprobs?: TRLLists | null | undefined;
  readonly logprob_token_ids?: TRLLists | null | undefined;
  readonly actual_token_ids?: TRLLists | null | undefined;
}

/** By sequence, position and token. */
export type TRLLists = readonly (readonly (readonly (number | null)[])[])[];

/** Options of {@link readTRL}. */
export interface TRLOptions extends ReaderOptions {
  /** The `prompt_lengths` of the request: the tokens of each prompt, ≥ 1. */
  readonly promptLengths: ArrayLike<number>;
  /**
   * The tokens of each completion: the sequences of the request without their prompts. By default
   * the `actual_token_ids` of the reply, which plain lists do not have.
   */
  readonly completions?: readonly ArrayLike<number>[] | undefined;
}

const ASK = 'ask for response_format: "binary", or pass the parsed JSON of /get_sequence_logprobs/';
const ASK_TOKENS = 'ask for response_format: "binary", or pass completions';

/** Why lists have the lengths that they have. */
const OF_LOGS = 'one for each of the log-probabilities';

/**
 * Reads a reply of `/get_sequence_logprobs/` of TRL's vLLM server (`trl vllm-serve`): the k most
 * probable tokens at each position of the completions that were sent.
 *
 *     position c of a completion:   row promptLengths[i] − 1 + c of the student
 *
 * @param response - the parsed JSON, in either format
 * @param options - `columns`, `k`, `promptLengths`, `completions`
 * @returns a reply for each sequence
 * @throws {DistillationError} SHAPE_MISMATCH for a shape that does not fit the bytes and for lists
 * of different sizes, OUT_OF_RANGE for an id or a log-probability out of range, NOT_A_DISTRIBUTION
 * for a sum above 1, EMPTY, and for an option
 * @throws {TypeError} for a field that is missing or of a wrong type, and for text that is no
 * base64
 *
 * @remarks vLLM scores a text at temperature 1, whatever `temperature` the request says.
 *
 * @example
 * import { readTRL } from 'knowledge-distillation/teachers';
 *
 * const response = {
 *   logprobs: [[[-0.5, -1.5], [-0.25, -2.5]]],
 *   logprob_token_ids: [[[2, 4], [2, 3]]],
 * };
 * const options = { columns: 10, promptLengths: [3], completions: [[2, 7]] };
 * const [reply] = readTRL(response, options);
 * console.log(reply?.targets.indices); // 2, 4, 2, 3
 * console.log(reply?.tokens, reply?.studentRows); // 2, 7 and 2, 3
 */
export function readTRL(response: TRLResponse, options: TRLOptions): TeacherReply[] {
  const operation = 'readTRL';
  const format = readOptions(operation, options, ['promptLengths', 'completions']);
  const { promptLengths } = options;
  const completions = options.completions
    ? new Part(operation, options.completions, 'completions')
    : undefined;
  const reply = new Part(operation, response, 'response');
  const isBinary = !reply.field('logprobs_b64').isMissing;
  const { logs, ids, tokens } = isBinary
    ? decodeArrays(reply, completions)
    : findLists(reply, completions);
  const { length } = logs.list();
  const prompts = new Part(operation, promptLengths, 'promptLengths');
  for (const part of [ids, tokens, prompts]) part.sized(length, OF_LOGS);
  return logs.items().map((sequence, i) => {
    const firstRow = prompts.item(i).integer(1) - 1;
    const lists = { logs: sequence, ids: ids.item(i), tokens: tokens.item(i) };
    return packReply(readSequence(lists, format), firstRow, format);
  });
}

/** What a reply holds, by sequence, position and token. */
interface Lists {
  readonly logs: Part;
  readonly ids: Part;
  /** The token at each position: a list of one, or the token itself. */
  readonly tokens: Part;
}

/** Decodes the arrays of the binary format into lists, without their padding. */
function decodeArrays(reply: Part, completions: Part | undefined): Lists {
  const { operation } = reply;
  const shape = reply.field('shape');
  const sizes = shape.items(ASK).map((size) => size.integer(1));
  const [batch, longest, k] = sizes;
  if (batch === undefined || longest === undefined || k === undefined || sizes.length > 3) {
    throwShape(operation, shape.place, [sizes.length], [3], 'batch, completion, k');
  }
  const lengths = reply.field('completion_lengths');
  lengths.items(ASK);
  const counts = lengths
    .sized(batch, 'one for each sequence')
    .items()
    .map((count) => {
      const length = count.integer(1, 'the request has a sequence without a completion');
      const expected = `be at most ${longest}, the positions of the shape`;
      return checkNumber(operation, count.place, length, expected, (x) => x <= longest);
    });
  const decode = (name: string, format: 'float32' | 'int32', size: number): Part => {
    const part = reply.field(name);
    const numbers = readNumbers(part, format, [batch, longest, size], ASK);
    const lists = counts.map((length, sequence) =>
      Array.from({ length }, (_, c) => {
        const start = (sequence * longest + c) * size;
        return numbers.subarray(start, start + size);
      }),
    );
    return part.decoded(lists);
  };
  return {
    logs: decode('logprobs_b64', 'float32', k),
    ids: decode('token_ids_b64', 'int32', k),
    tokens: completions ?? decode('actual_token_ids_b64', 'int32', 1),
  };
}

/** Finds plain lists, and the tokens in the reply or in the options. */
function findLists(reply: Part, completions: Part | undefined): Lists {
  const logs = reply.field('logprobs');
  const ids = reply.field('logprob_token_ids');
  const tokens = completions ?? reply.field('actual_token_ids');
  logs.items(ASK);
  ids.list(ASK);
  tokens.list(ASK_TOKENS);
  return { logs, ids, tokens };
}

/** Reads the positions of a sequence. */
function readSequence({ logs, ids, tokens }: Lists, format: RowFormat): Position[] {
  const positions = logs.items();
  for (const part of [ids, tokens]) part.sized(positions.length, OF_LOGS);
  const size = positions.reduce((least, list) => Math.min(least, list.list().length), Infinity);
  return positions.map((position, c) => {
    const { length } = position.items();
    const classes = ids.item(c).sized(length, OF_LOGS);
    const given = tokens.item(c);
    const token = (isList(given.value) ? given.items()[0]! : given).id(format.columns);
    checkCount(position, length, size, classes.item(size).value === token);
    const entries = Array.from({ length: size }, (_, i) => {
      const logProbability = position.item(i).logProbability();
      return { id: classes.item(i).id(format.columns), logProbability, part: classes.item(i) };
    });
    // Arrays are filled up with tokens 0 of probability 0.
    const row = entries.filter(({ logProbability }) => logProbability > -Infinity);
    return { token, row: readRow(position, row, format) };
  });
}
