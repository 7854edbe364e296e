import { expect, test } from 'vitest';
import {
  readLlamaCpp,
  readOllama,
  readOpenAI,
  readSGLang,
  readTRL,
  readVLLM,
  type TeacherReply,
} from '../../../src/teachers/readers/index.js';
import { llamaCpp, ollama, openAI, sglang, tokenId, trl, trlLists, vllm } from './payloads.js';

// One table for all formats: the element of a reply that scores each token, and the row of the
// student that predicts the token.

interface Alignment {
  readonly format: string;
  readonly read: () => TeacherReply;
  readonly tokens: number[];
  readonly studentRows: number[];
  /** The kept classes of each row, the most probable first. */
  readonly classes: number[][];
}

const columns = 8;

const table: Alignment[] = [
  {
    format: 'vLLM, prompt_logprobs: entry i scores token i, by row i − 1',
    read: () => readVLLM(vllm, { columns }),
    tokens: [2, 7, 3],
    studentRows: [0, 1, 2],
    classes: [
      [2, 4],
      [2, 3],
      [1, 3],
    ],
  },
  {
    format: 'vLLM, a prompt of 2 tokens and what follows',
    read: () => readVLLM(vllm, { columns, promptLength: 2 }),
    tokens: [7, 3],
    studentRows: [1, 2],
    classes: [
      [2, 3],
      [1, 3],
    ],
  },
  {
    format:
      'SGLang, input from logprob_start_len 1 of 5 tokens: the first that is scored is token 2',
    read: () => readSGLang(sglang, { columns }),
    tokens: [2, 7, 3],
    studentRows: [1, 2, 3],
    classes: [
      [2, 4],
      [2, 3],
      [1, 3],
    ],
  },
  {
    format: 'SGLang, input after a prompt of 4 tokens',
    read: () => readSGLang(sglang, { columns, promptLength: 4 }),
    tokens: [3],
    studentRows: [3],
    classes: [[1, 3]],
  },
  {
    format: 'SGLang, output: after the 5 tokens of the prompt',
    read: () => readSGLang(sglang, { columns, part: 'output' }),
    tokens: [1, 0],
    studentRows: [4, 5],
    classes: [
      [1, 6],
      [6, 5],
    ],
  },
  {
    format: 'llama.cpp: after tokens_evaluated',
    read: () => readLlamaCpp(llamaCpp, { columns }),
    tokens: [2, 7],
    studentRows: [5, 6],
    classes: [
      [2, 4],
      [2, 3],
    ],
  },
  {
    format: 'OpenAI: after usage.prompt_tokens',
    read: () => readOpenAI(openAI, { columns, tokenId }),
    tokens: [2, 7],
    studentRows: [8, 9],
    classes: [[2], [2, 3]],
  },
  {
    format: 'OpenAI, a prompt that is shorter for the student',
    read: () => readOpenAI(openAI, { columns, tokenId, promptLength: 1 }),
    tokens: [2, 7],
    studentRows: [0, 1],
    classes: [[2], [2, 3]],
  },
  {
    format: 'Ollama: after prompt_eval_count',
    read: () => readOllama(ollama, { columns, tokenId }),
    tokens: [2, 7],
    studentRows: [8, 9],
    classes: [[2], [2, 3]],
  },
  {
    format: 'TRL, arrays: after promptLengths[0]',
    read: () => readTRL(trl, { columns, promptLengths: [4, 6] })[0]!,
    tokens: [2, 7],
    studentRows: [3, 4],
    classes: [
      [2, 4],
      [2, 3],
    ],
  },
  {
    format: 'TRL, arrays: the second sequence is shorter',
    read: () => readTRL(trl, { columns, promptLengths: [4, 6] })[1]!,
    tokens: [3],
    studentRows: [5],
    classes: [[1, 3]],
  },
  {
    format: 'TRL, lists: after promptLengths[1]',
    read: () =>
      readTRL(trlLists, { columns, promptLengths: [4, 6], completions: [[2, 7], [3]] })[1]!,
    tokens: [3],
    studentRows: [5],
    classes: [[1, 3]],
  },
];

test.each(table)('$format', ({ read, tokens, studentRows, classes }) => {
  const { targets, ...reply } = read();
  expect([...reply.tokens]).toEqual(tokens);
  expect([...reply.studentRows]).toEqual(studentRows);
  expect(targets.rows).toBe(tokens.length);
  const k = targets.values.columns;
  const kept = classes.map((_, row) =>
    [...targets.indices.subarray(row * k, (row + 1) * k)].filter((index) => index >= 0),
  );
  expect(kept).toEqual(classes);
  expect(targets).toMatchObject({ columns, temperature: 1, kind: 'logProbabilities' });
});
