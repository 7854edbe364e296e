import { hostname } from 'node:os';
import { parseArgs } from 'node:util';

/** Options of the command line. */
export interface Options {
  readonly quick: boolean;
  readonly seed: number;
  /** `local`, `onnx`, or the address of a server that speaks vLLM's protocol. */
  readonly teacher: string;
  readonly folder: string;
  /** Address of Redis; undefined: everything in this process. */
  readonly queue: string | undefined;
  readonly role: 'producer' | 'worker';
  readonly name: string;
  readonly concurrency: number;
  /** Documents of a job. */
  readonly size: number;
  /** Number of documents; all of them by default. */
  readonly documents: number;
  /** Milliseconds after which the job of a worker that died is given to another. */
  readonly lock: number;
  readonly retry: boolean;
  /** Whether a student learns from the store in the end. */
  readonly train: boolean;
}

/** @throws {RangeError} for what is not among the choices, or no number in its range */
export function readOptions(args?: readonly string[]): Options {
  const { values } = parseArgs({
    ...(args === undefined ? {} : { args: [...args] }),
    options: {
      quick: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      teacher: { type: 'string', default: 'local' },
      folder: { type: 'string' },
      queue: { type: 'string' },
      role: { type: 'string', default: 'producer' },
      name: { type: 'string', default: `${hostname()}-${process.pid}` },
      concurrency: { type: 'string', default: '4' },
      size: { type: 'string', default: '32' },
      documents: { type: 'string' },
      lock: { type: 'string', default: '30000' },
      retry: { type: 'boolean', default: false },
      'no-training': { type: 'boolean', default: false },
    },
  });
  const { quick, teacher, queue, role } = values;
  if (role !== 'producer' && role !== 'worker') {
    throw new RangeError(`--role must be producer or worker, got "${role}"`);
  }
  if (role === 'worker' && queue === undefined) {
    throw new RangeError('--role worker needs --queue, the address of Redis');
  }
  const integer = (name: string, text: string, least: number): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`--${name} must be an integer >= ${least}, got "${text}"`);
    }
    return value;
  };
  return {
    quick,
    teacher,
    queue,
    role,
    name: values.name,
    seed: integer('seed', values.seed, 0),
    folder: values.folder ?? `examples/labelling/stores/${quick ? 'quick' : 'full'}`,
    concurrency: integer('concurrency', values.concurrency, 1),
    size: integer('size', values.size, 1),
    documents:
      values.documents === undefined
        ? quick
          ? 120
          : Number.POSITIVE_INFINITY
        : integer('documents', values.documents, 1),
    lock: integer('lock', values.lock, 100),
    retry: values.retry,
    train: !values['no-training'],
  };
}
