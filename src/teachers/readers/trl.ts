import { checkNumber, throwShape } from '../../core/errors.js';
import { readNumbers } from './base64.js';
import { checkCount } from './completion.js';
import {
  type Position,
  packReply,
  type ReaderOptions,
  type RowFormat,
  readOptions,
  type TeacherReply,
} from './reply.js';
import { isList, ReplyNode } from './replyNode.js';
import { readRow } from './row.js';

/**
 * The fields of a reply of TRL's server that {@link readTRL} reads: arrays in base64, if the
 * request has `response_format: "binary"`, or plain lists of sequences, positions and tokens.
 */
export interface TRLResponse {
  /** Log-probabilities: float32, little endian, of shape `shape`. */
  readonly logprobs_b64?: string | null | undefined;
  /** Token ids: int32, little endian, of shape `shape`. */
  readonly token_ids_b64?: string | null | undefined;
  /** The token at each position: int32, little endian, one for each position of `shape`. */
  readonly actual_token_ids_b64?: string | null | undefined;
  /** Number of sequences, positions of the longest completion, and tokens at each position. */
  readonly shape?: readonly number[] | null | undefined;
  /** Number of tokens of each completion; the other positions are padding. */
  readonly completion_lengths?: readonly number[] | null | undefined;
  readonly logprobs?: TRLLists | null | undefined;
  readonly logprob_token_ids?: TRLLists | null | undefined;
  readonly actual_token_ids?: TRLLists | null | undefined;
}

/** Lists of sequences, positions and tokens. */
export type TRLLists = readonly (readonly (readonly (number | null)[])[])[];

/** Options of {@link readTRL}. */
export interface TRLOptions extends ReaderOptions {
  /** The `prompt_lengths` of the request: the number of tokens of each prompt, ≥ 1. */
  readonly promptLengths: ArrayLike<number>;
  /**
   * The tokens of each completion: the sequences of the request without their prompts. A reply of
   * plain lists needs this option.
   *
   * @defaultValue the `actual_token_ids` of the reply
   */
  readonly completions?: readonly ArrayLike<number>[] | undefined;
}

const ASK = 'ask for response_format: "binary", or pass the parsed JSON of /get_sequence_logprobs/';
const ASK_TOKENS = 'ask for response_format: "binary", or pass completions';

/** Reason for the length of a list, in error messages. */
const ONE_PER_LOG = 'one for each of the log-probabilities';

/**
 * Reads a reply of `/get_sequence_logprobs/` of TRL's vLLM server (`trl vllm-serve`): the k most
 * probable tokens at each position of the completions that were sent.
 *
 * Row `promptLengths[i] − 1 + c` of the student predicts token c of completion i.
 *
 * @param response - the parsed JSON, in either format
 * @param options - `columns`, `k`, `promptLengths`, `completions`
 * @returns one reply for each sequence
 * @throws {DistillationError} `SHAPE_MISMATCH` for a shape that does not fit the bytes and for
 *   lists of different sizes, `OUT_OF_RANGE` for an id or a log-probability out of range and for
 *   text that is not base64, `NOT_A_DISTRIBUTION` for a sum above 1, `EMPTY`, and for an option
 * @throws {TypeError} for a field that is missing or of a wrong type
 *
 * @remarks vLLM scores a text at temperature 1; the `temperature` of the request has no effect.
 *
 * @example
 * ```ts
 * import { readTRL } from 'knowledge-distillation/teachers';
 *
 * const response = {
 *   logprobs: [[[-0.5, -1.5], [-0.25, -2.5]]],
 *   logprob_token_ids: [[[2, 4], [2, 3]]],
 * };
 * const options = { columns: 10, promptLengths: [3], completions: [[2, 7]] };
 * const [reply] = readTRL(response, options);
 * console.log(reply?.targets.indices.join(' ')); // 2 4 2 3
 * console.log(reply?.tokens.join(' ')); // 2 7
 * console.log(reply?.studentRows.join(' ')); // 2 3
 * ```
 */
export function readTRL(response: TRLResponse, options: TRLOptions): TeacherReply[] {
  const operation = 'readTRL';
  const format = readOptions(operation, options, ['promptLengths', 'completions']);
  const { promptLengths } = options;
  const completions = options.completions
    ? new ReplyNode(operation, options.completions, 'completions')
    : undefined;
  const reply = new ReplyNode(operation, response, 'response');
  const isBinary = !reply.field('logprobs_b64').isMissing;
  const { logs, ids, tokens } = isBinary
    ? decodeArrays(reply, completions)
    : findLists(reply, completions);
  const { length } = logs.list();
  const prompts = new ReplyNode(operation, promptLengths, 'promptLengths');
  for (const node of [ids, tokens, prompts]) node.sized(length, ONE_PER_LOG);
  return logs.items().map((sequence, i) => {
    const firstRow = prompts.item(i).integer(1) - 1;
    const lists = { logs: sequence, ids: ids.item(i), tokens: tokens.item(i) };
    return packReply(readSequence(lists, format), firstRow, format);
  });
}

/** The content of a reply as lists of sequences, positions and tokens. */
interface Lists {
  readonly logs: ReplyNode;
  readonly ids: ReplyNode;
  /** The token at each position: a list of one, or the token itself. */
  readonly tokens: ReplyNode;
}

/** Decodes the arrays of the binary format into lists, without their padding. */
function decodeArrays(reply: ReplyNode, completions: ReplyNode | undefined): Lists {
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
  const decode = (name: string, format: 'float32' | 'int32', size: number): ReplyNode => {
    const node = reply.field(name);
    const numbers = readNumbers(node, format, [batch, longest, size], ASK);
    const lists = counts.map((length, sequence) =>
      Array.from({ length }, (_, c) => {
        const start = (sequence * longest + c) * size;
        return numbers.subarray(start, start + size);
      }),
    );
    return node.decoded(lists);
  };
  return {
    logs: decode('logprobs_b64', 'float32', k),
    ids: decode('token_ids_b64', 'int32', k),
    tokens: completions ?? decode('actual_token_ids_b64', 'int32', 1),
  };
}

/** Finds plain lists, and the tokens in the reply or in the options. */
function findLists(reply: ReplyNode, completions: ReplyNode | undefined): Lists {
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
  for (const node of [ids, tokens]) node.sized(positions.length, ONE_PER_LOG);
  const size = positions.reduce((least, list) => Math.min(least, list.list().length), Infinity);
  return positions.map((position, c) => {
    const { length } = position.items();
    const classes = ids.item(c).sized(length, ONE_PER_LOG);
    const given = tokens.item(c);
    const token = (isList(given.value) ? given.items()[0]! : given).id(format.columns);
    checkCount(position, length, size, classes.item(size).value === token);
    const candidates = Array.from({ length: size }, (_, i) => {
      const logProbability = position.item(i).logProbability();
      return { id: classes.item(i).id(format.columns), logProbability, node: classes.item(i) };
    });
    // Arrays are padded with token 0 at probability 0.
    const row = candidates.filter(({ logProbability }) => logProbability > -Infinity);
    return { token, row: readRow(position, row, format) };
  });
}
