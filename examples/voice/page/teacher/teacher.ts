import { teacher } from 'virtual:assets';
import type { Request, Response } from './protocol.js';

/** The teacher's answers. */
export type Answer = Extract<Response, { kind: 'heard' }>;

/** The teacher in its worker. */
export class Teacher {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #requests = 0;
  /** Takes the reason why the worker has failed. */
  #lost: (error: Error) => void;

  private constructor(worker: Worker, lost: (error: Error) => void) {
    this.#worker = worker;
    this.#lost = lost;
  }

  /**
   * Loads the teacher and its runtime.
   *
   * @param lost Called if the teacher fails after it has been loaded.
   */
  static open(lost: (error: Error) => void): Promise<Teacher> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    return new Promise((resolve, reject) => {
      const opened = new Teacher(worker, reject);
      worker.onerror = ({ message }) => opened.#fail(message || 'its worker has failed');
      worker.onmessage = ({ data }: MessageEvent<Response>) => {
        if (data.kind === 'heard') opened.#take(data);
        else if (data.kind === 'failed') opened.#fail(data.reason);
        else {
          opened.#lost = lost;
          resolve(opened);
        }
      };
      opened.#post({ kind: 'open', teacher: new URL(teacher.url, location.href).href });
    });
  }

  /**
   * Listens to whole frames of a sound, which begins here or goes on from the call before.
   *
   * @returns Nothing if the teacher is lost meanwhile.
   */
  listen(sound: Float32Array, first: boolean): Promise<Answer | undefined> {
    const id = this.#requests++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#post({ kind: 'listen', id, sound, first });
    });
  }

  #post(request: Request): void {
    this.#worker.postMessage(request);
  }

  #take(answer: Answer): void {
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }

  #fail(reason: string): void {
    this.#worker.terminate();
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
    this.#lost(new Error(reason));
  }
}
