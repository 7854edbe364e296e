import { checkChoice, checkInteger, refuse, throwShape } from '../../core/errors.js';
import { checkFirst, checkSameLength, lastPromptRow } from './completion.js';
import { Part } from './part.js';
import {
  type CompletionReaderOptions,
  type Position,
  packReply,
  type RowFormat,
  readOptions,
  type TeacherReply,
} from './reply.js';
import { readRow } from './row.js';

/** A token that SGLang scored: its log-probability, its id and its text. */
export type SGLangToken = readonly (number | string | null)[];

/** What {@link readSGLang} reads of a reply of SGLang's `/generate`. */
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
   * Whether to read the scores of the text that was sent, or of the tokens that were generated. By
   * default `'input'` if the reply scores some of it, and else `'output'`.
   */
  readonly part?: 'input' | 'output' | undefined;
  /**
   * Number of tokens, ≥ 1, before the first one that is read. By default, `'input'` is read from
   * the first token that is scored, and `'output'` begins after `meta_info.prompt_tokens`.
   */
  readonly promptLength?: number | undefined;
}

const ASK = 'ask for return_logprob: true and top_logprobs_num: k in the request';
const ASK_INPUT = `${ASK}, with logprob_start_len: 0 for the scores of the text that is sent`;

/**
 * Reads the log-probabilities of SGLang: the k most probable tokens at each position of a text that
 * was sent (`'input'`), or of the tokens that were generated (`'output'`).
 *
 *     token t of the text:         row t − 1 of the student
 *     token c of the completion:   row promptLength − 1 + c of the student
 *
 * @param response - the parsed JSON of `/generate`; of a batch, one of its items
 * @param options - `columns`, `k`, `part`, `promptLength`
 * @returns a row for each token of the part, from `promptLength − 1` on
 * @throws {DistillationError} OUT_OF_RANGE for an id or a log-probability out of range,
 *   SHAPE_MISMATCH for lists of different sizes, NOT_A_DISTRIBUTION for a sum above 1, EMPTY, and
 *   for an option
 * @throws {TypeError} for a field that is missing or of a wrong type; the hint names what to ask
 * for
 *
 * @remarks SGLang scores the input at temperature 1, but the output at the temperature of sampling,
 *   which the reply does not say: read an output of `temperature: 1` alone.
 *
 * @example
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
 * console.log(targets.indices, tokens, studentRows); // 2, 4 and 4 and 0
 */
export function readSGLang(response: SGLangResponse, options: SGLangOptions): TeacherReply {
  const operation = 'readSGLang';
  const format = readOptions(operation, options, ['part', 'promptLength']);
  const { promptLength } = options;
  const info = new Part(operation, response, 'response').field('meta_info');
  const part = options.part ?? defaultPart(info);
  checkChoice(operation, 'part', part, ['input', 'output']);
  if (part === 'input') return readInput(info, promptLength, format);
  const firstRow = lastPromptRow(promptLength, info.field('prompt_tokens'));
  const positions = readPositions(info, 'output', 0, format);
  return packReply(positions, firstRow, format);
}

/** The input, if one of its tokens is scored; the first entry never is. */
function defaultPart(info: Part): 'input' | 'output' {
  const scores = info.field('input_top_logprobs');
  return !scores.isMissing && scores.list().length > 1 ? 'input' : 'output';
}

function readInput(info: Part, promptLength: number | undefined, format: RowFormat): TeacherReply {
  const { operation } = info;
  const scores = info.field('input_top_logprobs');
  const [first, ...scored] = scores.items(ASK_INPUT);
  if (scored.length === 0) {
    const expected = 'score a token after the first';
    refuse('EMPTY', operation, scores.place, expected, 'the first alone', { hint: ASK_INPUT });
  }
  checkFirst(first!);
  const length = info.field('prompt_tokens').integer(1);
  const start = length - scored.length; // tokens before the first one that is scored
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

/** Reads the positions of a part; the first `skipped` are not scored. */
function readPositions(
  info: Part,
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
    const entries = list.items(ask).map((entry) => ({
      id: entry.item(1).id(format.columns),
      logProbability: entry.item(0).logProbability(),
      part: entry,
    }));
    const token = tokens
      .item(skipped + i)
      .item(1)
      .id(format.columns);
    return { token, row: readRow(list, entries, format) };
  });
}
