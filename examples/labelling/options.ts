import { hostname } from 'node:os';
import { parseOptions, UserError } from '../shared/commandLine.js';

/** Options of the command line. */
export interface Options {
  readonly quick: boolean;
  readonly seed: number;
  /** `local`, `onnx`, or the address of a server with vLLM's protocol. */
  readonly teacher: string;
  readonly folder: string;
  /** Address of Redis; undefined if everything runs in this process. */
  readonly queue: string | undefined;
  readonly role: 'producer' | 'worker';
  readonly name: string;
  readonly concurrency: number;
  /** Number of documents of a job. */
  readonly size: number;
  /** Number of documents; all of them by default. */
  readonly documents: number;
  /** Milliseconds after which a job of a dead worker is given to another worker. */
  readonly lock: number;
  readonly retry: boolean;
  /** True if students are trained from the store at the end. */
  readonly train: boolean;
}

const STORES = 'examples/labelling/stores';

const OPTIONS = {
  quick: { type: 'boolean', default: false, about: 'few documents, few steps' },
  teacher: { type: 'string', default: 'local', about: 'local, onnx, or the http://… of a server' },
  folder: { type: 'string', about: `folder of the stores (${STORES}/full or …/quick)` },
  documents: { type: 'string', about: 'number of documents to label (all; 120 with --quick)' },
  concurrency: { type: 'string', default: '4', about: 'concurrent requests to the teacher' },
  size: { type: 'string', default: '32', about: 'documents of a job' },
  seed: { type: 'string', default: '1', about: 'seed of the student' },
  'no-training': { type: 'boolean', default: false, about: 'label without training students' },
  queue: { type: 'string', about: 'redis://… (without it, everything runs in this process)' },
  role: { type: 'string', default: 'producer', about: 'producer or worker of the queue' },
  name: { type: 'string', about: 'unique name of a worker (host and process)' },
  lock: {
    type: 'string',
    default: '30000',
    about: 'ms until the job of a dead worker goes to another one',
  },
  retry: { type: 'boolean', default: false, about: 'repeat jobs that failed for good' },
} as const;

/**
 * Parses the options.
 * @throws {UserError} for an unknown option, an invalid choice, or a number outside of its range
 */
export function readOptions(args?: readonly string[]): Options {
  const values = parseOptions(OPTIONS, args);
  const { quick, teacher, queue, role } = values;
  if (role !== 'producer' && role !== 'worker') {
    throw new UserError(`--role must be producer or worker, got "${role}"`);
  }
  if (role === 'worker' && queue === undefined) {
    throw new UserError('--role worker needs --queue, the address of Redis');
  }
  const integer = (name: string, text: string, least: number): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new UserError(`--${name} must be an integer >= ${least}, got "${text}"`);
    }
    return value;
  };
  const all = quick ? 120 : Number.POSITIVE_INFINITY;
  return {
    quick,
    teacher,
    queue,
    role,
    name: values.name ?? `${hostname()}-${process.pid}`,
    seed: integer('seed', values.seed, 0),
    folder: values.folder ?? `${STORES}/${quick ? 'quick' : 'full'}`,
    concurrency: integer('concurrency', values.concurrency, 1),
    size: integer('size', values.size, 1),
    documents: values.documents === undefined ? all : integer('documents', values.documents, 1),
    lock: integer('lock', values.lock, 100),
    retry: values.retry,
    train: !values['no-training'],
  };
}
