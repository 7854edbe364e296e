import { checkChoice, checkInteger, refuse, throwShape } from '../../core/errors.js';
import { checkFirst, checkSameLength, lastPromptRow } from './completion.js';
import {
  type CompletionReaderOptions,
  type Position,
  packReply,
  type RowFormat,
  readOptions,
  type TeacherReply,
} from './reply.js';
import { ReplyNode } from './replyNode.js';
import { readRow } from './row.js';

/** A token that SGLang scored: its log-probability, its id and its text. */
export type SGLangToken = readonly (number | string | null)[];

/** The fields of a reply of SGLang's `/generate` that {@link readSGLang} reads. */
export interface SGLangResponse {
  readonly meta_info: {
    readonly prompt_tokens?: number | undefined;
    readonly input_token_logprobs?: readonly SGLangToken[] | null | undefined;
    readonly input_top_logprobs?: readonly (readonly SGLangToken[] | null)[] | null | undefined;
    readonly output_token_logprobs?: readonly SGLangToken[] | null | undefined;
    readonly output_top_logprobs?: readonly (readonly SGLangToken[] | null)[] | null | undefined;
  };
}

/** Options of {@link readSGLang}. */
export interface SGLangOptions extends CompletionReaderOptions {
  /**
   * Whether to read the scores of the text that was sent, or of the generated tokens.
   *
   * @defaultValue 'input' if the reply scores a token of the text, 'output' otherwise
   */
  readonly part?: 'input' | 'output' | undefined;
  /**
   * Number of tokens, ≥ 1, before the first token that is read.
   *
   * @defaultValue for 'input', the number of tokens before the first scored token; for 'output',
   *   `meta_info.prompt_tokens`
   */
  readonly promptLength?: number | undefined;
}

const ASK = 'ask for return_logprob: true and top_logprobs_num: k in the request';
const ASK_INPUT = `${ASK}, with logprob_start_len: 0 for the scores of the text that is sent`;

/**
 * Reads the log-probabilities of SGLang: the k most probable tokens at each position of a text that
 * was sent (`'input'`), or of the generated tokens (`'output'`).
 *
 * Row t − 1 of the student predicts token t of the text, and row `promptLength − 1 + c` predicts
 * token c of the completion.
 *
 * @param response - the parsed JSON of `/generate`; of a batch, one of its items
 * @param options - `columns`, `k`, `part`, `promptLength`
 * @returns one row for each token of the part; `studentRows` begins at `promptLength − 1`
 * @throws {DistillationError} `OUT_OF_RANGE` for an id or a log-probability out of range,
 * `SHAPE_MISMATCH` for lists of different sizes, `NOT_A_DISTRIBUTION` for a sum above 1, `EMPTY`,
 * and for an option
 * @throws {TypeError} for a field that is missing or of a wrong type. The hint of a missing field
 *   names the option of the request that adds it
 *
 * @remarks SGLang scores the input at temperature 1, but the output at the sampling temperature.
 * The reply does not hold the sampling temperature: only read outputs of `temperature: 1`.
 *
 * @example
 * ```ts
 * import { readSGLang } from 'knowledge-distillation/teachers';
 *
 * const response = {
 *   meta_info: {
 *     prompt_tokens: 2,
 *     input_token_logprobs: [[null, 5, null], [-1.5, 4, null]],
 *     input_top_logprobs: [null, [[-0.5, 2, null], [-1.5, 4, null]]],
 *   },
 * };
 * const { targets, tokens, studentRows } = readSGLang(response, { columns: 10 });
 * console.log(targets.indices.join(' ')); // 2 4
 * console.log(tokens.join(' '), studentRows.join(' ')); // 4 0
 * ```
 */
export function readSGLang(response: SGLangResponse, options: SGLangOptions): TeacherReply {
  const operation = 'readSGLang';
  const format = readOptions(operation, options, ['part', 'promptLength']);
  const { promptLength } = options;
  const info = new ReplyNode(operation, response, 'response').field('meta_info');
  const part = options.part ?? defaultPart(info);
  checkChoice(operation, 'part', part, ['input', 'output']);
  if (part === 'input') return readInput(info, promptLength, format);
  const firstRow = lastPromptRow(promptLength, info.field('prompt_tokens'));
  const positions = readPositions(info, 'output', 0, format);
  return packReply(positions, firstRow, format);
}

/** Returns 'input' if a token of the text is scored. Its first token never is. */
function defaultPart(info: ReplyNode): 'input' | 'output' {
  const scores = info.field('input_top_logprobs');
  return !scores.isMissing && scores.list().length > 1 ? 'input' : 'output';
}

function readInput(
  info: ReplyNode,
  promptLength: number | undefined,
  format: RowFormat,
): TeacherReply {
  const { operation } = info;
  const scores = info.field('input_top_logprobs');
  const [first, ...scored] = scores.items(ASK_INPUT);
  if (scored.length === 0) {
    const expected = 'score a token after the first';
    refuse('EMPTY', operation, scores.place, expected, 'the first alone', { hint: ASK_INPUT });
  }
  checkFirst(first!);
  const length = info.field('prompt_tokens').integer(1);
  const start = length - scored.length; // number of tokens before the first scored token
  if (start < 1) {
    const why = 'at most one for each of the prompt_tokens';
    throwShape(operation, scores.place, [scored.length + 1], [length], why);
  }
  const from = promptLength ?? start;
  checkInteger(operation, 'promptLength', from, 1);
  if (from < start || from >= length) {
    const expected = `be in [${start}, ${length}), tokens before one that is scored`;
    refuse('OUT_OF_RANGE', operation, 'promptLength', expected, String(from));
  }
  const positions = readPositions(info, 'input', 1, format).slice(from - start);
  return packReply(positions, from - 1, format);
}

/** Reads the positions of a part. The first `skipped` positions are not scored. */
function readPositions(
  info: ReplyNode,
  part: 'input' | 'output',
  skipped: number,
  format: RowFormat,
): Position[] {
  const ask = part === 'input' ? ASK_INPUT : ASK;
  const tokens = info.field(`${part}_token_logprobs`);
  const tops = info.field(`${part}_top_logprobs`);
  const lists = tops.items(ask).slice(skipped);
  const { length } = tops.list();
  tokens.list(ask);
  tokens.sized(length, `one for each of the ${part}_top_logprobs`);
  checkSameLength(lists, 'as many tokens as at the first position');
  return lists.map((list, i) => {
    const candidates = list.items(ask).map((candidate) => ({
      id: candidate.item(1).id(format.columns),
      logProbability: candidate.item(0).logProbability(),
      node: candidate,
    }));
    const token = tokens
      .item(skipped + i)
      .item(1)
      .id(format.columns);
    return { token, row: readRow(list, candidates, format) };
  });
}
