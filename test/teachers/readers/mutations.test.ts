import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DistillationError, type ErrorDetails } from '../../../src/index.js';
import {
  readDistillKit,
  readLlamaCpp,
  readOllama,
  readOpenAI,
  readSGLang,
  readTRL,
  readVLLM,
  type TeacherReply,
} from '../../../src/teachers/readers/index.js';
import fixtures from '../../fixtures/readers/distillKit.json' with { type: 'json' };
import { mutate, mutations } from './mutate.js';
import { llamaCpp, ollama, openAI, sglang, tokenId, trl, trlLists, vllm } from './payloads.js';

// Replies with random changes. A reader either refuses a reply and names the place, or returns the
// values of the reply. A second decoder without checks, which is correct for every valid reply,
// provides the expected values.

const RUNS = Number(globalThis.process?.env?.MUTATIONS ?? 400);
const columns = 8;

/** Tokens, first row, and the log-probabilities of each row by class. */
interface Expected {
  readonly tokens: number[];
  readonly firstRow: number;
  readonly rows: (readonly [id: number, log: number])[][];
}

// biome-ignore lint/suspicious/noExplicitAny: a randomly changed value has no type
type Reply = any;

interface Format {
  readonly name: string;
  readonly payload: Reply;
  read(payload: Reply): TeacherReply | TeacherReply[];
  expect(payload: Reply): Expected | Expected[];
}

type Scored = [id: number, log: number, rank: number];

function expectVLLM(reply: Reply): Expected {
  const prompt = reply.prompt_logprobs != null ? reply : reply.choices[0];
  const tokens: number[] = Array.from(prompt.prompt_token_ids as number[]).slice(1);
  const all: Scored[][] = prompt.prompt_logprobs
    .slice(1)
    .map((entries: Reply) =>
      Object.keys(entries).map((id) => [+id, entries[id].logprob, entries[id].rank]),
    );
  const has = (row: Scored[], rank: number) => row.some((entry) => entry[2] === rank);
  const counts = all.map((row) => {
    let count = 0;
    while (has(row, count + 1)) count++;
    return count;
  });
  const k = Math.min(...counts);
  const rows = all.map((row, i) =>
    row
      .filter(
        ([id, , rank]) =>
          rank <= k &&
          !(id === tokens[i] && row.some((other) => other[0] !== id && other[2] === rank)),
      )
      .map(([id, log]) => [id, log] as const),
  );
  return { tokens, firstRow: 0, rows };
}

function expectSGLang(part: 'input' | 'output') {
  return ({ meta_info: info }: Reply): Expected => {
    const skipped = part === 'input' ? 1 : 0;
    const tops: Reply[] = info[`${part}_top_logprobs`].slice(skipped);
    const tokens: number[] = info[`${part}_token_logprobs`]
      .slice(skipped)
      .map((entry: Reply) => entry[1]);
    const rows = tops.map((top) => top.map(([log, id]: Reply) => [id, log] as const));
    const before = part === 'input' ? info.prompt_tokens - tops.length : info.prompt_tokens;
    return { tokens, firstRow: before - 1, rows };
  };
}

/** The generated tokens of a list, with ids by `idOf`. */
function expectContent(
  content: Reply,
  promptLength: number,
  idOf: (token: Reply) => number | undefined,
): Expected {
  const tokens = content.map((token: Reply) => idOf(token));
  const rows = content.map((token: Reply) =>
    token.top_logprobs
      .map((top: Reply) => [idOf(top), top.logprob])
      .filter(([id]: Reply) => id !== undefined),
  );
  return { tokens, firstRow: promptLength - 1, rows };
}

const idOfBytes = ({ bytes, token }: Reply) =>
  tokenId(bytes == null ? new TextEncoder().encode(token) : Uint8Array.from(bytes));

const prompts = [4, 6];

function expectTRL(reply: Reply): Expected[] {
  const viewOf = (text: string) =>
    new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const [logs, ids, tokens] = [
    reply.logprobs_b64,
    reply.token_ids_b64,
    reply.actual_token_ids_b64,
  ].map(viewOf);
  const [, longest, k] = reply.shape;
  return reply.completion_lengths.map((length: number, s: number) => {
    const positions = Array.from({ length }, (_, c) => s * longest + c);
    return {
      tokens: positions.map((p) => tokens!.getInt32(4 * p, true)),
      firstRow: prompts[s]! - 1,
      rows: positions.map((p) =>
        Array.from({ length: k }, (_, i) => 4 * (p * k + i)).map((at) => [
          ids!.getInt32(at, true),
          logs!.getFloat32(at, true),
        ]),
      ),
    };
  });
}

const completions = [[2, 7], [3]];

function expectTRLLists(reply: Reply): Expected[] {
  return reply.logprobs.map((sequence: Reply, s: number) => {
    const k = Math.min(...sequence.map((list: Reply) => list.length));
    return {
      tokens: completions[s],
      firstRow: prompts[s]! - 1,
      rows: sequence.map((list: Reply, c: number) =>
        list.slice(0, k).map((log: number, i: number) => [reply.logprob_token_ids[s][c][i], log]),
      ),
    };
  });
}

function unpack(bytes: number[], bits: number, count: number): number[] {
  const text = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from({ length: count }, (_, i) =>
    Number.parseInt(text.slice(i * bits, (i + 1) * bits), 2),
  );
}

/** Decodes float32 only, which all configurations here use. */
function expectDistillKit({ row, config }: Reply): Expected {
  const { k, exact_k, residual_bins: bins, polynomial_terms: terms } = config;
  const logsOf = (bytes: number[]) => {
    const view = new DataView(Uint8Array.from(bytes).buffer);
    let at = 0;
    const next = () => {
      at += 4;
      return view.getFloat32(at - 4, true);
    };
    const values = Array.from({ length: exact_k }, next);
    const factors: number[] = (terms ?? []).map(next);
    const residuals = bins.flatMap(({ element_bits, num_elements }: Reply) => {
      const scale = next();
      const end = at + Math.ceil((element_bits * num_elements) / 8);
      const elements = unpack(bytes.slice(at, end), element_bits, num_elements);
      at = end;
      const signed = (x: number) => (element_bits === 1 ? 2 * x - 1 : x - 2 ** (element_bits - 1));
      return elements.map((x) => signed(x) * scale);
    });
    for (let i = 0; i < k - exact_k; i++) {
      const t = config.normalize_t && k - exact_k > 1 ? i / (k - exact_k - 1) : i;
      const f = (term: Reply) =>
        Math.fround(term === 'sqrt' ? Math.sqrt(t) : term === 'exp' ? Math.exp(t) : t ** term);
      values.push(
        (terms ?? []).reduce(
          (sum: number, term: Reply, n: number) => sum + factors[n]! * f(term),
          residuals[i] ?? 0,
        ),
      );
    }
    if (config.delta_encoding ?? true) {
      for (let i = 1; i < k; i++) values[i]! += values[i - 1]!;
    }
    const sum = values.reduce((total, value) => total + Math.exp(value), 0);
    return exact_k < k && sum > 1 ? values.map((value) => value - Math.log(sum)) : values;
  };
  const count = row.input_ids.length - 1;
  return {
    tokens: row.input_ids.slice(1).map(Number),
    firstRow: 0,
    rows: row.compressed_logprobs.slice(0, count).map((bytes: number[], j: number) => {
      const ids = unpack(row.bytepacked_indices[j], Math.ceil(Math.log2(config.d)), k);
      return logsOf(bytes).map((log, i) => [ids[i], log]);
    }),
  };
}

function expectRaw({ input_ids, token_ids, top_values }: Reply): Expected {
  const count = input_ids.length - 1;
  const rows = token_ids
    .slice(0, count)
    .map((ids: Reply, j: number) =>
      ids.map((id: Reply, i: number) => [Number(id), top_values[j][i]]),
    );
  return { tokens: input_ids.slice(1).map(Number), firstRow: 0, rows };
}

const raw = {
  input_ids: [5, 2, 7],
  token_ids: [
    [2, 4],
    [2, 3],
  ],
  top_values: [
    [-0.5, -1.5],
    [-0.25, -2.5],
  ],
};

function distillKit(name: string): Format {
  const { row, config } = fixtures.compressed.find((each) => each.name === name)!;
  return {
    name: `DistillKit, ${name}`,
    payload: { row, config },
    read: (payload) => readDistillKit(payload.row, { columns: 1000, config: payload.config }),
    expect: expectDistillKit,
  };
}

const formats: Format[] = [
  {
    name: 'vLLM',
    payload: vllm,
    read: (reply) => readVLLM(reply, { columns }),
    expect: expectVLLM,
  },
  {
    name: 'vLLM, chat',
    payload: vllm.choices[0],
    read: (reply) => readVLLM(reply, { columns }),
    expect: expectVLLM,
  },
  {
    name: 'SGLang, input',
    payload: sglang,
    read: (reply) => readSGLang(reply, { columns, part: 'input' }),
    expect: expectSGLang('input'),
  },
  {
    name: 'SGLang, output',
    payload: sglang,
    read: (reply) => readSGLang(reply, { columns, part: 'output' }),
    expect: expectSGLang('output'),
  },
  {
    name: 'llama.cpp',
    payload: llamaCpp,
    read: (reply) => readLlamaCpp(reply, { columns }),
    expect: (reply) =>
      expectContent(reply.completion_probabilities, reply.tokens_evaluated, ({ id }) => id),
  },
  {
    name: 'OpenAI',
    payload: openAI,
    read: (reply) => readOpenAI(reply, { columns, tokenId }),
    expect: (reply) =>
      expectContent(reply.choices[0].logprobs.content, reply.usage.prompt_tokens, idOfBytes),
  },
  {
    name: 'Ollama',
    payload: ollama,
    read: (reply) => readOllama(reply, { columns, tokenId }),
    expect: (reply) => expectContent(reply.logprobs, reply.prompt_eval_count, idOfBytes),
  },
  {
    name: 'TRL',
    payload: trl,
    read: (reply) => readTRL(reply, { columns, promptLengths: prompts }),
    expect: expectTRL,
  },
  {
    name: 'TRL, lists',
    payload: trlLists,
    read: (reply) => readTRL(reply, { columns, promptLengths: prompts, completions }),
    expect: expectTRLLists,
  },
  distillKit('exact float32'),
  distillKit('deltas'),
  distillKit('a bin that ends early'),
  {
    name: 'DistillKit, as it is',
    payload: raw,
    read: (row) => readDistillKit(row, { columns }),
    expect: expectRaw,
  },
];

/** The template of the library's errors, with a place. */
function checkError(error: unknown): void {
  if (!(error instanceof DistillationError || error instanceof TypeError)) throw error;
  const { code, operation, argument, message } = error as Error & ErrorDetails;
  if (!code) throw error;
  expect(message.startsWith(`${operation}: `)).toBe(true);
  expect(operation).toMatch(/^read[A-Z]/);
  expect(argument).not.toBe('');
}

function checkReply({ targets, tokens, studentRows }: TeacherReply, expected: Expected): void {
  expect(tokens).toEqual(Int32Array.from(expected.tokens)); // −0 is 0
  expect([...studentRows]).toEqual(expected.tokens.map((_, i) => expected.firstRow + i));
  expect(targets.rows).toBe(tokens.length);
  const k = targets.values.columns;
  for (let row = 0; row < targets.rows; row++) {
    const wanted = new Map(expected.rows[row]!.filter(([, log]) => log > -9999));
    const kept = targets.indices.subarray(row * k, (row + 1) * k).filter((id) => id >= 0);
    expect([...kept].sort()).toEqual([...wanted.keys()].sort());
    let sum = 0;
    for (const [i, id] of kept.entries()) {
      const log = targets.values.get(row, i);
      const value = wanted.get(id)!;
      expect(Math.abs(log - value)).toBeLessThan(1e-6 * (1 + Math.abs(value)));
      if (i > 0) expect(log).toBeLessThanOrEqual(targets.values.get(row, i - 1));
      sum += Math.exp(log);
    }
    const whole = sum + (kept.length < targets.columns ? Math.exp(targets.logTail![row]!) : 0);
    expect(Math.abs(whole - 1)).toBeLessThan(1.01e-3);
  }
}

test.each(formats)(
  '$name with random changes is refused or read correctly',
  ({ payload, read, expect: naive }) => {
    checkReply([read(payload)].flat()[0]!, [naive(payload)].flat()[0]!);
    let accepted = 0;
    const property = fc.property(mutations, (changes) => {
      const changed = mutate(payload, changes);
      let replies: TeacherReply[];
      try {
        replies = [read(changed)].flat();
      } catch (error) {
        return checkError(error);
      }
      accepted++;
      const expected = [naive(changed)].flat();
      expect(replies).toHaveLength(expected.length);
      for (const [i, reply] of replies.entries()) checkReply(reply, expected[i]!);
    });
    fc.assert(property, { numRuns: RUNS });
    expect(accepted).toBeGreaterThan(RUNS / 100); // both outcomes occur
    expect(accepted).toBeLessThan(RUNS);
  },
);
