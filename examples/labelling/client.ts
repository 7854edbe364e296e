import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../shared/commandLine.js';
import { scoringRequest } from './completions.js';

export interface ClientOptions {
  /** Address of the server, as http://127.0.0.1:8000. */
  readonly url: string;
  /** Bearer token, for a server that asks for one. */
  readonly apiKey?: string | undefined;
  /** Maximum number of attempts of a request; 6. */
  readonly attempts?: number;
  /** Milliseconds after which an attempt fails; 60,000. */
  readonly timeout?: number;
  /** Maximum milliseconds before the second attempt, doubled before each further one; 500. */
  readonly backoff?: number;
  /** Waits for a number of milliseconds; tests replace it. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** A request without success, with the result of its last attempt. */
export class TeacherError extends UserError {
  /** True if the same request will fail again, for example because the server rejects it. */
  readonly isFinal: boolean;
  /** Milliseconds that the server asked the client to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, isFinal: boolean, retryAfter?: number) {
    super(message);
    this.isFinal = isFinal;
    this.retryAfter = retryAfter;
  }
}

/** Maximum milliseconds that the client waits itself; a longer wait is left to the caller. */
const LONGEST_WAIT = 60_000;

/** Statuses that may be temporary: a timeout, too many requests, a failure of the server. */
const isTransient = (status: number) => status === 408 || status === 429 || status >= 500;

/** The result of one attempt. */
type Outcome =
  | { readonly reply: unknown }
  | { readonly fault: string; readonly isFinal: boolean; readonly retryAfter?: number };

/** A client of an inference server that repeats failed requests. */
export class TeacherClient {
  readonly #options: Required<Omit<ClientOptions, 'apiKey'>>;
  readonly #headers: Record<string, string>;

  constructor({
    url,
    apiKey,
    attempts = 6,
    timeout = 60_000,
    backoff = 500,
    wait = (milliseconds) => sleep(milliseconds),
  }: ClientOptions) {
    this.#options = { url: url.replace(/\/+$/, ''), attempts, timeout, backoff, wait };
    const authorization = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
    this.#headers = { 'Content-Type': 'application/json', ...authorization };
  }

  /**
   * Returns log-probabilities of every token of the prompt, and of the `k` most likely tokens at
   * its position.
   */
  score(model: string, prompt: ArrayLike<number>, k: number): Promise<unknown> {
    const body = JSON.stringify(scoringRequest(model, prompt, k));
    return this.#request('/v1/completions', { method: 'POST', body });
  }

  /** Returns the name of the served model. */
  async model(): Promise<string> {
    const reply = (await this.#request('/v1/models')) as { data?: { id?: unknown }[] };
    const id = reply.data?.[0]?.id;
    if (typeof id !== 'string') throw new TeacherError(`${this.#options.url} names no model`, true);
    return id;
  }

  async #request(path: string, init: RequestInit = {}): Promise<unknown> {
    const { url, attempts, backoff, wait } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#try(url + path, init);
      if ('reply' in outcome) return outcome.reply;
      const { fault, isFinal, retryAfter } = outcome;
      if (isFinal || attempt === attempts || (retryAfter ?? 0) > LONGEST_WAIT) {
        const tries = attempt === 1 ? '' : `, in the last of ${attempt} tries`;
        throw new TeacherError(`${url}${path} failed: ${fault}${tries}`, isFinal, retryAfter);
      }
      // A random delay keeps the clients of an overloaded server from returning at the same time.
      await wait(retryAfter ?? Math.random() * backoff * 2 ** (attempt - 1));
    }
  }

  async #try(address: string, init: RequestInit): Promise<Outcome> {
    const { timeout } = this.#options;
    const abort = new AbortController();
    // AbortSignal.timeout would not keep the process alive during the wait.
    const timer = setTimeout(() => abort.abort(new Error(`no answer in ${timeout} ms`)), timeout);
    try {
      const headers = this.#headers;
      const response = await fetch(address, { ...init, headers, signal: abort.signal });
      const text = await response.text();
      if (response.ok) return { reply: JSON.parse(text) };
      const retryAfter = waitOf(response);
      return {
        fault: `status ${response.status}, ${text.slice(0, 200)}`,
        isFinal: !isTransient(response.status),
        ...(retryAfter === undefined ? {} : { retryAfter }),
      };
    } catch (error) {
      return { fault: describe(error), isFinal: false };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Parses the header `Retry-After`, in seconds or as a date, into milliseconds. */
function waitOf({ headers }: Response): number | undefined {
  const value = headers.get('Retry-After');
  if (value === null) return undefined;
  const wait = /^\d+$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(wait, 0);
}

/** Returns the reason of a failed connection, which `fetch` puts into the cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}, ${cause.message}` : error.message;
}
