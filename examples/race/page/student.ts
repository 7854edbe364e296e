import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ComponentLoss } from 'knowledge-distillation';
import type {
  Answer,
  CurvePoint,
  Facts,
  Model,
  Recipe,
  Report,
  Request,
  Snapshot,
} from '../worker/protocol.js';
import { Connection } from './connection.js';
import type { StudentFiles } from './files.js';

/** Both students start from the same weights and see the same labels. */
const SEED = 1;
/** Number of training steps after which the student reads the drawing on the pad again. */
const STEPS_BETWEEN_ANSWERS = 4;

/**
 * `loading`: the worker is starting; `preparing`: the teacher can answer, the student is not there
 * yet; `training`: steps are due; `failed`: the worker is gone.
 */
export type StudentStatus = 'loading' | 'preparing' | 'ready' | 'training' | 'failed';

/** An answer of a model, and the image that it is about. */
export interface AnswerAbout extends Answer {
  readonly pixels: Float32Array;
}

/** A student in its worker, as the page sees it: signals that change at most once a frame. */
export class Student {
  readonly recipe: Signal<Recipe>;
  readonly facts: Signal<Facts | undefined> = signal(undefined);
  readonly step: Signal<number> = signal(0);
  readonly loss: Signal<number | undefined> = signal(undefined);
  readonly components: Signal<readonly ComponentLoss[]> = signal([]);
  readonly curve: Signal<readonly CurvePoint[]> = signal([]);
  /** The student's answer for the image on the pad, which it is asked again as it learns. */
  readonly answer: Signal<AnswerAbout | undefined> = signal(undefined);
  /** The answer of the teacher, who is in the same worker. */
  readonly teacher: Signal<AnswerAbout | undefined> = signal(undefined);
  readonly failure: Signal<string | undefined> = signal(undefined);
  readonly status: ReadonlySignal<StudentStatus> = computed(() => this.#findStatus());

  readonly #keep: (snapshot: Snapshot) => void;
  #connection: Connection | undefined;
  readonly #phase: Signal<'loading' | 'preparing' | 'open'> = signal('loading');
  readonly #until: Signal<number> = signal(0);
  #weights: Float32Array | undefined;
  #files: StudentFiles | undefined;
  #snapshot: Snapshot | undefined;
  /** The recipe that the worker was given last. */
  #given: Recipe | undefined;
  /** True while the worker has not replied to a change of the recipe. */
  #isTeaching = false;
  /** The image on the pad. */
  #pixels: Float32Array | undefined;
  /** The image of the request that awaits an answer. */
  readonly #asked = new Map<Model, Float32Array>();
  readonly #stale = new Set<Model>();

  /** `keep` is called with each new snapshot. */
  constructor(recipe: Recipe, keep: (snapshot: Snapshot) => void) {
    this.recipe = signal(recipe);
    this.#keep = keep;
  }

  /** Resumes from this snapshot once the student has its files. */
  restore(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.recipe.value = snapshot.recipe;
    this.#showSnapshot();
  }

  /** Starts a worker, in which the teacher can answer once it has its weights. */
  start(): void {
    batch(() => {
      this.failure.value = undefined;
      this.#phase.value = 'loading';
    });
    this.#isTeaching = false;
    this.#connection = new Connection({
      receive: (report) => this.#receive(report),
      show: (reports) => batch(() => this.#showAll(reports)),
      fail: (reason) => this.#fail(reason),
      isReportDue: () => this.#isReportDue,
    });
    if (this.#weights) this.meetTeacher(this.#weights);
    if (this.#files) this.prepare(this.#files);
  }

  meetTeacher(weights: Float32Array): void {
    this.#weights = weights;
    this.#send({ kind: 'meet', weights });
    this.#askIfStale();
  }

  /** Gives the worker its images, and opens the student. */
  prepare(files: StudentFiles): void {
    this.#files = files;
    this.#send({ kind: 'prepare', ...files });
    this.#open();
  }

  /** Trains until a number of steps is completed; may be raised while the student trains. */
  trainUntil(step: number): void {
    if (step === this.#until.value) return;
    this.#until.value = step;
    if (step > this.step.value) this.#send({ kind: 'train', until: step });
  }

  /** Ends the training after the current step. */
  pause(): void {
    this.#until.value = 0;
    if (this.#phase.value === 'open') this.#send({ kind: 'pause' });
  }

  /** Changes the recipe of the steps that follow. */
  teach(recipe: Recipe): void {
    this.recipe.value = recipe;
    this.#giveRecipe();
  }

  /** Replaces the student by an untrained one with the same recipe. */
  startOver(): void {
    this.#snapshot = undefined;
    if (this.failure.value !== undefined) this.start();
    else if (this.#files) this.#open();
    else this.#showSnapshot();
  }

  /** Asks for the answers of these models for the image on the pad. */
  ask(pixels: Float32Array | undefined, models: readonly Model[]): void {
    this.#pixels = pixels;
    for (const model of models) {
      if (!pixels) this.#answerOf(model).value = undefined;
      this.#stale.add(model);
    }
    this.#askIfStale();
  }

  /** Opens a session of the worker: resumes from the snapshot, or creates a student. */
  #open(): void {
    this.#connection?.flush();
    const snapshot = this.#snapshot;
    batch(() => {
      this.#phase.value = 'preparing';
      this.#until.value = 0;
      this.#showSnapshot();
      this.loss.value = undefined;
      this.components.value = [];
    });
    this.#stale.add('student');
    const recipe = this.recipe.value; // it may have changed since the snapshot
    this.#given = recipe;
    this.#send(
      snapshot
        ? { kind: 'resume', snapshot: { ...snapshot, recipe } }
        : { kind: 'open', seed: SEED, recipe },
    );
  }

  /** Gives the worker one recipe at a time, since a slider moves faster than a worker follows. */
  #giveRecipe(): void {
    const recipe = this.recipe.value;
    if (this.#phase.value !== 'open' || this.#isTeaching || recipe === this.#given) return;
    this.#given = recipe;
    this.#isTeaching = true;
    this.#send({ kind: 'teach', recipe });
  }

  #showSnapshot(): void {
    this.step.value = this.#snapshot?.step ?? 0;
    this.curve.value = this.#snapshot?.curve ?? [];
  }

  #send(request: Request): void {
    this.#connection?.send(request);
  }

  /** Keeps a snapshot at once, also of a page in the background, which draws no frames. */
  #receive(report: Report): boolean {
    if (report.kind === 'met' && this.#phase.value === 'loading') this.#phase.value = 'preparing';
    if (report.kind === 'opened') {
      batch(() => {
        this.facts.value = report.facts;
        this.#phase.value = 'open';
      });
      this.#giveRecipe();
      this.#askIfStale();
    }
    if (report.kind === 'taught') {
      this.#isTeaching = false;
      this.#giveRecipe();
    }
    if (report.kind === 'answer') return true;
    if (this.#phase.value !== 'open') return false; // the report is about the previous student
    if ('snapshot' in report) {
      this.#snapshot = report.snapshot;
      this.#keep(report.snapshot);
    }
    return true;
  }

  #showAll(reports: readonly Report[]): void {
    for (const report of reports) this.#show(report);
    this.#askIfStale();
  }

  #show(report: Report): void {
    switch (report.kind) {
      case 'step':
        this.step.value = report.step;
        this.loss.value = report.loss;
        this.components.value = report.components;
        if (report.step % STEPS_BETWEEN_ANSWERS === 0) this.#stale.add('student');
        break;
      case 'evaluated':
        this.curve.value = report.snapshot.curve;
        break;
      case 'paused':
        this.step.value = report.snapshot.step;
        this.#stale.add('student');
        break;
      case 'answer': {
        const pixels = this.#asked.get(report.model);
        this.#asked.delete(report.model);
        if (pixels && this.#pixels) {
          this.#answerOf(report.model).value = { ...report.answer, pixels };
        }
        break;
      }
    }
  }

  #answerOf(model: Model): Signal<AnswerAbout | undefined> {
    return model === 'teacher' ? this.teacher : this.answer;
  }

  #askIfStale(): void {
    const pixels = this.#pixels;
    if (!pixels || !this.#connection) return;
    for (const model of this.#stale) {
      const canAnswer = model === 'teacher' ? this.#weights : this.#phase.value === 'open';
      if (!canAnswer || this.#asked.has(model)) continue;
      this.#stale.delete(model);
      this.#asked.set(model, pixels);
      this.#send({ kind: 'ask', model, pixels });
    }
  }

  get #isReportDue(): boolean {
    const status = this.status.value;
    return (
      (status === 'loading' && this.#weights !== undefined) ||
      (status === 'preparing' && this.#files !== undefined) ||
      (status === 'ready' && this.#asked.size > 0) ||
      status === 'training'
    );
  }

  #findStatus(): StudentStatus {
    if (this.failure.value !== undefined) return 'failed';
    const phase = this.#phase.value;
    if (phase !== 'open') return phase;
    return this.step.value < this.#until.value ? 'training' : 'ready';
  }

  /** Shows the student from which a new worker will resume. */
  #fail(reason: string): void {
    this.#connection = undefined;
    for (const model of this.#asked.keys()) this.#stale.add(model);
    this.#asked.clear();
    batch(() => {
      this.#showSnapshot();
      this.failure.value = reason;
    });
  }
}
