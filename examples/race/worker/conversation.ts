import { answer } from './answer.js';
import { type Classroom, chooseSamples } from './classroom.js';
import type { Report, Request } from './protocol.js';
import { Session } from './session.js';
import { SETTINGS } from './settings.js';

/** Handles the requests of the page and sends reports; trains in between. */
export class Conversation {
  readonly #classroom: Classroom;
  readonly #send: (report: Report) => void;
  /** Yields, so that requests can arrive. */
  readonly #breathe: () => Promise<void>;
  #opened: Session | undefined;
  /** The current training. */
  #run: symbol | undefined;

  constructor(classroom: Classroom, send: (report: Report) => void, breathe: () => Promise<void>) {
    this.#classroom = classroom;
    this.#send = send;
    this.#breathe = breathe;
  }

  receive(request: Request): void {
    try {
      this.#do(request);
    } catch (error) {
      this.#fail(error);
    }
  }

  #do(request: Request): void {
    switch (request.kind) {
      case 'open':
        this.#open(new Session(this.#classroom, request.seed, request.recipe));
        break;
      case 'resume':
        this.#open(Session.resume(this.#classroom, request.snapshot));
        break;
      case 'train':
        this.#train(this.#session);
        break;
      case 'pause':
        this.#run = undefined;
        this.#send({ kind: 'paused', snapshot: this.#session.snapshot });
        break;
      case 'teach':
        this.#session.teach(request.recipe);
        break;
      case 'ask':
        this.#answer(request.pixels);
        break;
    }
  }

  get #session(): Session {
    if (!this.#opened) throw new Error('there is no student yet: open comes first');
    return this.#opened;
  }

  #open(session: Session): void {
    const { teacher, heldOut } = this.#classroom;
    this.#run = undefined;
    this.#opened?.dispose();
    this.#opened = session;
    this.#send({
      kind: 'opened',
      step: session.step,
      steps: SETTINGS.student.training.steps,
      teacher: { accuracy: teacher.accuracy, parameters: teacher.parameters },
      student: { parameters: session.student.parameterCount },
      labelledImages: session.labelled.length,
      heldOutImages: heldOut.labels.length,
      samples: chooseSamples(heldOut),
    });
  }

  #answer(pixels: Float32Array): void {
    const teacher = answer(this.#classroom.model, pixels);
    const student = answer(this.#session.student, pixels);
    this.#send({ kind: 'answer', teacher, student });
  }

  async #train(session: Session): Promise<void> {
    const run = Symbol('training');
    this.#run = run;
    try {
      this.#evaluateIfDue(session);
      while (this.#run === run && !session.isFinished) {
        this.#send(session.advance());
        this.#evaluateIfDue(session);
        await this.#breathe();
      }
      if (this.#run === run) this.#send({ kind: 'finished', snapshot: session.snapshot });
    } catch (error) {
      this.#fail(error);
    }
    if (this.#run === run) this.#run = undefined;
  }

  #evaluateIfDue(session: Session): void {
    if (!session.isEvaluationDue) return;
    session.evaluate();
    this.#send({ kind: 'evaluated', snapshot: session.snapshot });
  }

  #fail(error: unknown): void {
    this.#send({
      kind: 'failed',
      message: error instanceof Error ? error.message : String(error),
    });
  }
}
