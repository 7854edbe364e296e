import type { Transformer } from '../../digits/transformer.js';
import { answer } from './answer.js';
import { type Classroom, createTeacher, openClassroom } from './classroom.js';
import type { Report, Request } from './protocol.js';
import { Session } from './session.js';

/** Handles the requests of the page and sends reports; trains in between. */
export class Conversation {
  readonly #send: (report: Report) => void;
  /** Yields, so that requests can arrive. */
  readonly #breathe: () => Promise<void>;
  #met: Transformer | undefined;
  #prepared: Classroom | undefined;
  #opened: Session | undefined;
  /** The current training. */
  #run: symbol | undefined;
  /** The step at which the current training ends. */
  #until = 0;

  constructor(send: (report: Report) => void, breathe: () => Promise<void>) {
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
      case 'meet':
        this.#met = createTeacher(request.weights);
        this.#send({ kind: 'met' });
        break;
      case 'prepare':
        this.#prepared = openClassroom(this.#teacher, request);
        break;
      case 'open':
        this.#open(new Session(this.#classroom, request.seed, request.recipe));
        break;
      case 'resume':
        this.#open(Session.resume(this.#classroom, request.snapshot));
        break;
      case 'train':
        this.#until = request.until;
        this.#train(this.#session);
        break;
      case 'pause':
        this.#run = undefined;
        this.#send({ kind: 'paused', snapshot: this.#session.snapshot });
        break;
      case 'teach':
        this.#session.teach(request.recipe);
        this.#send({ kind: 'taught' });
        break;
      case 'ask': {
        const { model, pixels } = request;
        const asked = model === 'teacher' ? this.#teacher : this.#session.student;
        this.#send({ kind: 'answer', model, answer: answer(asked, pixels) });
        break;
      }
    }
  }

  get #teacher(): Transformer {
    return this.#met ?? missing('teacher', 'meet');
  }

  get #classroom(): Classroom {
    return this.#prepared ?? missing('classroom', 'prepare');
  }

  get #session(): Session {
    return this.#opened ?? missing('student', 'open');
  }

  #open(session: Session): void {
    this.#run = undefined;
    this.#opened?.dispose();
    this.#opened = session;
    this.#send({ kind: 'opened', step: session.step, facts: session.facts });
  }

  /** Trains up to `#until`, which may grow meanwhile. */
  async #train(session: Session): Promise<void> {
    if (this.#run) return;
    const run = Symbol('training');
    this.#run = run;
    try {
      this.#evaluateIfDue(session);
      while (this.#run === run && session.step < this.#until) {
        this.#send(session.advance());
        this.#evaluateIfDue(session);
        await this.#breathe();
      }
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

function missing(what: string, request: Request['kind']): never {
  throw new Error(`there is no ${what} yet: ${request} comes first`);
}
