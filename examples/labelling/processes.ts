import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** Child processes, which are ended with this process. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** A child process that can be killed and restarted. */
export class Service {
  readonly name: string;
  readonly #command: string;
  readonly #args: readonly string[];
  #process: ChildProcess;

  private constructor(name: string, command: string, args: readonly string[]) {
    this.name = name;
    this.#command = command;
    this.#args = args;
    this.#process = this.#spawn();
  }

  /** Runs a TypeScript file of this folder. */
  static script(name: string, file: string, args: readonly string[]): Service {
    const path = fileURLToPath(new URL(file, import.meta.url));
    return new Service(name, process.execPath, ['--import', 'tsx', path, ...args]);
  }

  /** Runs Redis on this machine, with an append-only file in `folder`. */
  static redis(folder: string, port: number): Service {
    const options = { bind: '127.0.0.1', port, dir: folder, save: '', appendonly: 'yes' };
    const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
    return new Service('redis', 'redis-server', args);
  }

  /** The exit code; undefined while the process runs, null after a signal. */
  get exitCode(): number | null | undefined {
    const { exitCode, signalCode } = this.#process;
    return exitCode === null && signalCode === null ? undefined : exitCode;
  }

  /** Kills the process. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Asks the process to end, and waits for its end. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  restart(): void {
    this.#process = this.#spawn();
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.exitCode !== undefined) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill(signal);
    await exit;
  }

  #spawn(): ChildProcess {
    const child = spawn(this.#command, this.#args, {
      stdio: ['ignore', this.#command === process.execPath ? 'inherit' : 'ignore', 'inherit'],
    });
    children.add(child);
    child.on('exit', () => children.delete(child));
    child.on('error', ({ message }) => console.error(`${this.name}: ${message}`));
    return child;
  }
}

/** Returns a port that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
