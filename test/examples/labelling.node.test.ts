import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createTeacherStore,
  type TeacherSequence,
  type TeacherStoreWriter,
} from 'knowledge-distillation/store';
import { readVLLM } from 'knowledge-distillation/teachers';
import { afterEach, describe, expect, test } from 'vitest';
import { TeacherClient, TeacherError } from '../../examples/labelling/client.js';
import { scoringRequest } from '../../examples/labelling/completions.js';
import { compareContents, contentsOf } from '../../examples/labelling/contents.js';
import { makeCorpus } from '../../examples/labelling/corpus.js';
import { importLabels } from '../../examples/labelling/exchange.js';
import { FolderCheck } from '../../examples/labelling/folderCheck.js';
import { jobsOf, nameOf } from '../../examples/labelling/jobs.js';
import { isDone, type Labelling, runJob } from '../../examples/labelling/labelling.js';
import { LanguageModel, MODEL } from '../../examples/labelling/languageModel.js';
import { readOptions } from '../../examples/labelling/options.js';
import { type Faults, TeacherServer } from '../../examples/labelling/server.js';
import { TrigramModel } from '../../examples/labelling/trigrams.js';
import { Random } from '../../examples/shared/random.js';

/** A book of 20 chapters of four passages, made of words in random order. */
function makeBook(): string {
  const random = new Random(1, 'book');
  const words = ['the', 'whale', 'ship', 'sea', 'rolled', 'harpoon', 'sank', 'captain', ','];
  const passage = () =>
    Array.from({ length: 30 }, () => words[random.below(words.length)]).join(' ');
  return Array.from(
    { length: 20 },
    (_, i) => `CHAPTER ${i}.\n\n${passage()}\n\n${passage()}\n\n${passage()}\n\n${passage()}\n\n`,
  ).join('');
}

const corpus = makeCorpus(makeBook());
const model = new LanguageModel(corpus);
const { tokens } = corpus.training[0]!;
const running: { close(): unknown }[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function serve(faults?: Faults): Promise<string> {
  const server = await TeacherServer.start(model, 0, faults);
  running.push(server);
  return server.url;
}

/** A server that answers its requests by one handler after the other. */
async function serveOneByOne(handlers: readonly RequestListener[]): Promise<string> {
  const rest = [...handlers];
  const server = createServer((request, response) => rest.shift()!(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  running.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answer =
  (status: number, headers: Record<string, string> = {}, body = 'text'): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };
const drop: RequestListener = (_, response) => response.destroy();
const cut: RequestListener = (_, response) => {
  response.writeHead(200, { 'Content-Length': 100 });
  response.write('{"half', () => response.destroy());
};
const ignore: RequestListener = () => {};
const succeed = answer(200, {}, '{"right": true}');

describe('the corpus', () => {
  test('keeps training, labelling and held-out documents apart', () => {
    const keys = [corpus.read, corpus.training, corpus.heldOut].map((documents) =>
      documents.map(({ key }) => key),
    );
    expect(keys.map(({ length }) => length)).toEqual([48, 24, 8]);
    expect(new Set(keys.flat()).size).toBe(80);
    expect(corpus.words.slice(0, 2)).toEqual(['<start>', '<unknown>']);
    for (const { tokens } of corpus.training) expect(tokens[0]).toBe(0);
  });
});

describe('the trigram model', () => {
  test('interpolates by absolute discounting', () => {
    const words = new TrigramModel([Int32Array.of(0, 1, 2, 1, 2, 1, 3)], 4);
    const [, row] = words.logits([0, 1]).toRows();
    // Counts plus 1 of each word: 1, 4, 3 and 2 of 10. After 1: 2 twice, 3 once. After 0 1: 2 once.
    const unigrams = [0.1, 0.4, 0.3, 0.2];
    const rest = (0.75 * 2) / 3;
    const afterOne = unigrams.map((p, word) => [0, 0, 1.25, 0.25][word]! / 3 + rest * p);
    const afterTwo = afterOne.map((p, word) => [0, 0, 0.25, 0][word]! + 0.75 * p);
    afterTwo.forEach((p, word) => {
      expect(Math.exp(row![word]!)).toBeCloseTo(p, 6);
    });
  });

  test('returns distributions', () => {
    const words = new TrigramModel(
      corpus.read.map(({ tokens }) => tokens),
      corpus.words.length,
    );
    for (const row of words.logits(tokens).toRows()) {
      expect(row.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5);
    }
  });
});

describe('the server', () => {
  test('answers as vLLM does', async () => {
    const client = new TeacherClient({ url: await serve() });
    expect(await client.model()).toBe(MODEL);
    const response = await client.score(MODEL, tokens, 3);
    expect(response).toEqual(model.answer(scoringRequest(MODEL, tokens, 3)));
    const columns = corpus.words.length;
    const reply = readVLLM(response as object, { columns, k: 3 });
    expect(reply.tokens).toEqual(tokens.subarray(1));
    expect(reply.targets.values.columns).toBe(3);
  });

  test('returns the token of the prompt with its rank, also beyond k', () => {
    const { choices } = model.answer(scoringRequest(MODEL, tokens, 1));
    const all = model.answer(scoringRequest(MODEL, tokens, corpus.words.length)).choices;
    expect(choices[0].prompt_logprobs[0]).toBe(null);
    tokens.subarray(1).forEach((token, i) => {
      const [few, many] = [choices, all].map(([choice]) => choice.prompt_logprobs[i + 1]!);
      expect(few![token]).toEqual(many![token]);
      expect(
        Object.values(many!)
          .map(({ rank }) => rank)
          .sort((a, b) => a - b),
      ).toEqual(Array.from(corpus.words, (_, place) => place + 1));
    });
  });

  test.each([
    ['another model', { model: 'other' }, 'model must be "moby-dick-trigrams"'],
    ['text', { prompt: 'call me' }, 'prompt must be tokens'],
    ['a token that it has not', { prompt: [9999] }, 'prompt must be tokens'],
    ['more than it gives', { prompt_logprobs: 65 }, 'prompt_logprobs must be'],
    ['a text to write', { max_tokens: 7 }, 'max_tokens must be 1, got 7'],
  ])('refuses %s', async (_, change, message) => {
    const response = await fetch(`${await serve()}/v1/completions`, {
      method: 'POST',
      body: JSON.stringify({ ...scoringRequest(MODEL, tokens, 3), ...change }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining(message) },
    });
  });
});

describe('the client', () => {
  test('repeats a request after failures of server and connection', async () => {
    const faults = [answer(429, { 'Retry-After': '0' }), answer(500), answer(503), drop, cut];
    const url = await serveOneByOne([...faults, succeed]);
    const client = new TeacherClient({ url, backoff: 1 });
    expect(await client.score(MODEL, [0], 1)).toEqual({ right: true });
  });

  test('repeats a request after a timeout', async () => {
    const url = await serveOneByOne([ignore, succeed]);
    const client = new TeacherClient({ url, backoff: 1, timeout: 200 });
    expect(await client.score(MODEL, [0], 1)).toEqual({ right: true });
  });

  test('waits for as long as the server asks, or longer after each attempt', async () => {
    const date = new Date(Date.now() + 30_000).toUTCString();
    const url = await serveOneByOne([
      answer(429, { 'Retry-After': '7' }),
      answer(503, { 'Retry-After': date }),
      answer(500),
      answer(500),
      succeed,
    ]);
    const waits: number[] = [];
    const wait = async (milliseconds: number) => waits.push(milliseconds);
    await new TeacherClient({ url, backoff: 100, wait }).score(MODEL, [0], 1);
    expect(waits).toHaveLength(4);
    expect(waits[0]).toBe(7000);
    expect(waits[1]).toBeGreaterThan(0);
    expect(waits[1]).toBeLessThanOrEqual(30_000);
    expect(waits[2]).toBeLessThan(400);
    expect(waits[3]).toBeLessThan(800);
  });

  test('sends the API key', async () => {
    let seen: string | undefined;
    const url = await serveOneByOne([
      (request, response) => {
        seen = request.headers.authorization;
        succeed(request, response);
      },
    ]);
    await new TeacherClient({ url, apiKey: 'secret' }).score(MODEL, [0], 1);
    expect(seen).toBe('Bearer secret');
  });

  test('reports the result of the last attempt', async () => {
    const url = await serveOneByOne([answer(500), answer(502, {}, 'bad gateway')]);
    const client = new TeacherClient({ url, attempts: 2, backoff: 1 });
    const message = `${url}/v1/completions failed: status 502, bad gateway, in the last of 2 tries`;
    await expect(client.score(MODEL, [0], 1)).rejects.toThrow(new TeacherError(message, false));
  });

  test('does not repeat a request that the server rejects', async () => {
    const client = new TeacherClient({ url: await serve() });
    const error = await client.score('other', tokens, 1).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(TeacherError);
    expect(error).toMatchObject({ isFinal: true });
    expect(String(error)).toContain('status 400');
    expect(String(error)).toContain('model must be');
  });

  test('leaves a long wait to its caller', async () => {
    const url = await serveOneByOne([answer(429, { 'Retry-After': '3600' })]);
    const error = await new TeacherClient({ url }).score(MODEL, [0], 1).catch((e: unknown) => e);
    expect(error).toMatchObject({ isFinal: false, retryAfter: 3_600_000 });
  });

  test('gets the answers of a healthy server from a server with all kinds of failures', async () => {
    const url = await serve({ broken: 0.2, dropped: 0.3, seed: 3 });
    const client = new TeacherClient({ url, attempts: 30, backoff: 0 });
    for (const { tokens } of corpus.training) {
      expect(await client.score(MODEL, tokens, 4)).toEqual(
        model.answer(scoringRequest(MODEL, tokens, 4)),
      );
    }
  });
});

describe('a job', () => {
  /** A store in memory, in which appended documents count as written. */
  const makeStore = () => {
    const sequences = new Map<string, TeacherSequence>();
    let flushed = 0;
    const store: TeacherStoreWriter = {
      has: (key) => sequences.has(key),
      append: async (key, sequence) => {
        if (sequences.has(key)) return false;
        sequences.set(key, sequence);
        return true;
      },
      flush: async () => {
        flushed = sequences.size;
      },
      close: async () => {},
    };
    return { store, sequences, flushed: () => flushed };
  };

  const makeLabelling = (label: Labelling['label']): Labelling => ({
    store: { columns: 3, k: 1, teacher: 'test' },
    keys: ['a', 'b', 'c', 'd', 'e', 'f'],
    label,
  });

  test('labels the missing documents, with a limit of concurrent ones', async () => {
    const { store, sequences, flushed } = makeStore();
    await store.append('c', {});
    const asked: number[] = [];
    let [now, most] = [0, 0];
    const labelling = makeLabelling(async (document) => {
      asked.push(document);
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
      return {};
    });
    await runJob(labelling, store, { first: 1, end: 5 }, 2);
    expect(asked).toEqual([1, 3, 4]);
    expect(most).toBe(2);
    expect([...sequences.keys()].sort()).toEqual(['b', 'c', 'd', 'e']);
    expect(flushed()).toBe(4);
    expect(isDone(labelling, store, { first: 1, end: 5 })).toBe(true);
    expect(isDone(labelling, store, { first: 1, end: 6 })).toBe(false);
  });

  test('continues after a failed job', async () => {
    const { store, sequences, flushed } = makeStore();
    const asked: number[] = [];
    let isBroken = true;
    const labelling = makeLabelling(async (document) => {
      asked.push(document);
      if (document === 2 && isBroken) throw new Error('out of order');
      return {};
    });
    const job = { first: 0, end: 6 };
    await expect(runJob(labelling, store, job, 1)).rejects.toThrow('out of order');
    expect([...sequences.keys()]).toEqual(['a', 'b']);
    expect(flushed()).toBe(0);
    isBroken = false;
    await runJob(labelling, store, job, 1);
    expect(asked).toEqual([0, 1, 2, 2, 3, 4, 5]);
    expect(flushed()).toBe(6);
  });
});

describe('the exchange with other programs', () => {
  const columns = corpus.words.length;

  test('reads rows of JSON as readVLLM reads the reply', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'labelling-'));
    running.push({ close: () => rmSync(folder, { recursive: true }) });
    const [first, second] = ['first', 'second'].map((name) => join(folder, name));
    const { targets } = readVLLM(model.answer(scoringRequest(MODEL, tokens, 4)), { columns, k: 4 });
    const rows = Array.from({ length: targets.rows }, (_, row) => ({
      key: 'a',
      position: row,
      token: tokens[row],
      label: tokens[row + 1],
      indices: Array.from(targets.indices.subarray(4 * row, 4 * row + 4)),
      log_probabilities: Array.from(targets.values.row(row)),
    }));
    const labels = join(folder, 'labels');
    mkdirSync(labels);
    writeFileSync(join(labels, 'part-0.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));

    const options = { columns, k: 4, teacher: MODEL };
    const imported = await createTeacherStore(first!, options);
    expect(await importLabels(labels, imported, columns)).toBe(1);
    expect(await importLabels(labels, imported, columns)).toBe(0);
    await imported.close();
    const direct = await createTeacherStore(second!, options);
    await direct.append('a', {
      prompt: tokens.subarray(0, 1),
      tokens: tokens.subarray(1),
      targets,
    });
    await direct.close();
    const [expected, actual] = [await contentsOf(second!), await contentsOf(first!)];
    expect(actual).toEqual(expected);
    expect(compareContents(expected, new Map([['b', '']]))).toEqual({
      lost: 1,
      added: 1,
      changed: 0,
    });
    expect(compareContents(expected, new Map([['a', '']])).changed).toBe(1);

    writeFileSync(join(labels, 'part-0.jsonl'), JSON.stringify(rows[3]));
    await expect(importLabels(labels, direct, columns)).rejects.toThrow(
      'a: row 0 is missing before row 3',
    );
  });
});

describe('the options', () => {
  test.each([
    [['--role', 'boss'], '--role must be producer or worker, got "boss"'],
    [['--role', 'worker'], '--role worker needs --queue, the address of Redis'],
    [['--size', '0'], '--size must be an integer >= 1, got "0"'],
    [['--documents', 'all'], '--documents must be an integer >= 1, got "all"'],
  ])('refuse %s', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  test('keep the stores of a quick run and a full run apart', () => {
    expect(readOptions(['--quick']).folder).not.toBe(readOptions([]).folder);
  });
});

describe('jobs', () => {
  test('are the same ranges of documents in every run', () => {
    expect(jobsOf(70, 32)).toEqual([
      { first: 0, end: 32 },
      { first: 32, end: 64 },
      { first: 64, end: 70 },
    ]);
    expect(jobsOf(70, 32).map(nameOf)).toEqual([
      'documents-0-to-31',
      'documents-32-to-63',
      'documents-64-to-69',
    ]);
    expect(jobsOf(0, 32)).toEqual([]);
  });
});

describe('documents that workers write into another folder', () => {
  test('are detected when all jobs are done and no document arrives', () => {
    const folderCheck = new FolderCheck(100);
    folderCheck.complete('first');
    expect(folderCheck.isWrongFolder(0, ['first', 'second'], 0)).toBe(false);
    // the second job is not done
    expect(folderCheck.isWrongFolder(0, ['first', 'second'], 500)).toBe(false);
    folderCheck.complete('second');
    expect(folderCheck.isWrongFolder(0, ['first', 'second'], 599)).toBe(false);
    expect(folderCheck.isWrongFolder(0, ['first', 'second'], 600)).toBe(true);
  });

  test('are not suspected while documents arrive', () => {
    const folderCheck = new FolderCheck(100);
    folderCheck.complete('first');
    expect(folderCheck.isWrongFolder(0, ['first'], 0)).toBe(false);
    expect(folderCheck.isWrongFolder(1, ['first'], 150)).toBe(false);
    expect(folderCheck.isWrongFolder(1, ['first'], 249)).toBe(false);
  });
});
