import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { Random } from '../shared/random.js';
import { BadRequest } from './completions.js';
import { type LanguageModel, MODEL } from './languageModel.js';

/** Simulated failures and load; each a fraction of the requests. */
export interface Faults {
  /** Milliseconds of a request beside the model's own time; 0. */
  readonly latency?: number;
  /** Fraction answered by 429 with `Retry-After`. */
  readonly tooMany?: number;
  /** Fraction answered by 500. */
  readonly broken?: number;
  /** Fraction whose connection is cut, half of them in the middle of the answer. */
  readonly dropped?: number;
  /** True if answers are cached; false by default. */
  readonly remember?: boolean;
  /** Seed of the random choice of requests; 1. */
  readonly seed?: number;
}

/** Seconds after which a client may try again, an integer by the standard. */
const RETRY_AFTER = 1;

/**
 * A server with the part of vLLM's protocol that scoring needs: `GET /v1/models` and `POST
 * /v1/completions`.
 */
export class TeacherServer {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.url = `http://${host}:${(server.address() as AddressInfo).port}`;
  }

  /** Listens on `host`, by default on this machine only; port 0 stands for any free port. */
  static async start(
    model: LanguageModel,
    port = 0,
    faults: Faults = {},
    host = '127.0.0.1',
  ): Promise<TeacherServer> {
    const random = new Random(faults.seed ?? 1, 'faults');
    const answer = faults.remember ? remembering(answererOf(model)) : answererOf(model);
    const server = createServer((request, response) => {
      respond(answer, faults, random, request, response).catch(() => response.destroy());
    });
    server.listen(port, host);
    await once(server, 'listening');
    return new TeacherServer(server, host);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function respond(
  answer: Answerer,
  { latency = 0, tooMany = 0, broken = 0, dropped = 0 }: Faults,
  random: Random,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await text(request);
  if (request.method === 'GET' && request.url === '/v1/models') {
    send(response, 200, JSON.stringify({ object: 'list', data: [{ id: MODEL, object: 'model' }] }));
    return;
  }
  if (request.method !== 'POST' || request.url !== '/v1/completions') {
    send(response, 404, errorOf(`no ${request.method} ${request.url} here`));
    return;
  }
  const chance = random.uniform();
  if (chance < tooMany) {
    send(response.setHeader('Retry-After', RETRY_AFTER), 429, errorOf('too many requests'));
    return;
  }
  if (chance < tooMany + broken) {
    send(response, 500, errorOf('out of order'));
    return;
  }
  await setTimeout(latency);
  const { status, text: reply } = answer(body);
  if (chance < tooMany + broken + dropped) {
    drop(response, reply, random.uniform() < 0.5);
    return;
  }
  send(response, status, reply);
}

/** Returns the status and the body of the answer to a request. */
type Answerer = (body: string) => { readonly status: number; readonly text: string };

function answererOf(model: LanguageModel): Answerer {
  return (body) => {
    try {
      return { status: 200, text: JSON.stringify(model.answer(JSON.parse(body))) };
    } catch (error) {
      if (!(error instanceof BadRequest || error instanceof SyntaxError)) throw error;
      return { status: 400, text: errorOf(error.message) };
    }
  };
}

function remembering(answer: Answerer): Answerer {
  const answers = new Map<string, ReturnType<Answerer>>();
  return (body) => {
    const known = answers.get(body) ?? answer(body);
    answers.set(body, known);
    return known;
  };
}

const errorOf = (message: string): string => JSON.stringify({ error: { message } });

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
}

/** Cuts the connection, before the answer or in the middle of it. */
function drop(response: ServerResponse, body: string, isMidway: boolean): void {
  if (!isMidway) {
    response.destroy();
    return;
  }
  const bytes = Buffer.from(body);
  response.writeHead(200, { 'Content-Length': bytes.length, 'Content-Type': 'application/json' });
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
}
