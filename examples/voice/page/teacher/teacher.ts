import { teacher } from 'virtual:assets';
import type { Request, Response } from './protocol.js';

/** The teacher's answers. */
export type Answer = Extract<Response, { kind: 'heard' }>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** The teacher in its worker. */
export class Teacher {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #requests = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Loads the teacher and its runtime. */
  static open(): Promise<Teacher> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    const opened = new Teacher(worker);
    return new Promise((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message || 'the worker did not start'));
      worker.onmessage = ({ data }: MessageEvent<Response>) => {
        if (data.kind === 'opened') resolve(opened);
        else if (data.kind === 'heard') opened.#take(data);
        else {
          reject(new Error(data.reason));
          opened.#fail(new Error(data.reason));
        }
      };
      opened.#post({ kind: 'open', teacher: new URL(teacher.url, location.href).href });
    });
  }

  /** Listens to whole frames of a sound, which begins here or goes on from the call before. */
  listen(sound: Float32Array, first: boolean): Promise<Answer> {
    const id = this.#requests++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post({ kind: 'listen', id, sound, first });
    });
  }

  #post(request: Request): void {
    this.#worker.postMessage(request);
  }

  #take(answer: Answer): void {
    this.#waiting.get(answer.id)?.resolve(answer);
    this.#waiting.delete(answer.id);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#worker.terminate();
  }
}
