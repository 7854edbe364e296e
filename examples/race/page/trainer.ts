import { batch, type Signal, signal } from '@preact/signals';
import type { ComponentLoss } from 'knowledge-distillation';
import type { Answer, CurvePoint, Recipe, Report, Request, Snapshot } from '../worker/protocol.js';
import { forget, type Saved, save } from './storage.js';

const DEFAULT_RECIPE: Recipe = {
  weights: { response: 40, attention: 30, feature: 30 },
  temperature: 3,
  alpha: 0.3,
};
const SEED = 1;
/** Number of training steps after which the student reads the drawing on the pad again. */
const STEPS_BETWEEN_ANSWERS = 4;
/** Time without a due report after which the worker counts as dead, in seconds. */
const PATIENCE = 10;
/** The same limit for a worker that is loading: its files may come over a slow network. */
const PATIENCE_WHILE_LOADING = 180;

/** `opening`: a worker is loading; `ready`: trains when asked to; `failed`: the worker is gone. */
export type Status = 'opening' | 'ready' | 'training' | 'finished' | 'failed';

export type Who = 'teacher' | 'student';

/** The answers of both models for an image. */
export interface Answers extends Readonly<Record<Who, Answer>> {
  readonly pixels: Float32Array;
}

type ReportOf<Kind extends Report['kind']> = Extract<Report, { readonly kind: Kind }>;

/** The student in its worker, as the page sees it: signals that change at most once a frame. */
export class Trainer {
  readonly status: Signal<Status> = signal('opening');
  readonly recipe: Signal<Recipe> = signal(DEFAULT_RECIPE);
  /** Models and data, as reported by the worker. */
  readonly facts: Signal<ReportOf<'opened'> | undefined> = signal(undefined);
  readonly step: Signal<number> = signal(0);
  readonly loss: Signal<number | undefined> = signal(undefined);
  readonly components: Signal<readonly ComponentLoss[]> = signal([]);
  readonly curve: Signal<readonly CurvePoint[]> = signal([]);
  /** Curve of the previous student, for comparison. */
  readonly earlierCurve: Signal<readonly CurvePoint[]> = signal([]);
  /** The image on the pad. */
  readonly pixels: Signal<Float32Array | undefined> = signal(undefined);
  readonly answers: Signal<Answers | undefined> = signal(undefined);
  readonly failure: Signal<string | undefined> = signal(undefined);

  #worker: Worker | undefined;
  /** True once the worker has reported anything. */
  #isLoaded = false;
  #snapshot: Snapshot | undefined;
  #trainsOnceOpened = false;
  #isPausing = false;
  /** The image of the request that awaits an answer. */
  #asked: Float32Array | undefined;
  #isAnswerStale = false;
  #silence = 0;
  readonly #reports = new Map<Report['kind'], Report>();

  /** Starts a student, or resumes the saved one. */
  start({ snapshot, recipe }: Partial<Saved>): void {
    this.#snapshot = snapshot;
    if (recipe) this.recipe.value = recipe;
    this.#open();
    setInterval(() => this.#watch(), 1000);
  }

  train(): void {
    this.status.value = 'training';
    this.#send({ kind: 'train' });
  }

  /** Pauses the training after the current step. */
  pause(): void {
    if (this.#isPausing) return; // a second answer might arrive after the training goes on
    this.#isPausing = true;
    this.#send({ kind: 'pause' });
  }

  /** Changes the recipe of the steps that follow. */
  teach(recipe: Recipe): void {
    this.recipe.value = recipe;
    save('recipe', recipe);
    if (this.#isOpen) this.#send({ kind: 'teach', recipe });
  }

  /**
   * Requests answers of both models for an image; the student's answer is requested again as it
   * learns.
   */
  ask(pixels: Float32Array | undefined): void {
    this.pixels.value = pixels;
    if (!pixels) this.answers.value = undefined;
    this.#isAnswerStale = true;
    this.#askIfStale();
  }

  /** Resumes from the last snapshot, with a new worker. */
  goOn(): void {
    this.#open();
  }

  /** Starts a new, untrained student. */
  startOver(): void {
    this.#snapshot = undefined;
    this.#trainsOnceOpened = false;
    forget('snapshot');
    if (this.curve.value.length > 1) this.earlierCurve.value = this.curve.value;
    this.#open();
  }

  /** The step from which a new worker would resume. */
  get snapshotStep(): number {
    return this.#snapshot?.step ?? 0;
  }

  get #isOpen(): boolean {
    return this.status.value !== 'opening' && this.status.value !== 'failed';
  }

  /**
   * Opens a session: resumes from the snapshot, or starts a student. Starts a worker if there is
   * none.
   */
  #open(): void {
    const snapshot = this.#snapshot;
    batch(() => {
      this.status.value = 'opening';
      this.failure.value = undefined;
      this.step.value = snapshot?.step ?? 0;
      this.curve.value = snapshot?.curve ?? [];
      this.loss.value = undefined;
      this.components.value = [];
    });
    this.#reports.clear();
    this.#asked = undefined;
    this.#isAnswerStale = true;
    this.#silence = 0;
    this.#worker ??= this.#startWorker();
    this.#send(
      snapshot
        ? { kind: 'resume', snapshot }
        : { kind: 'open', seed: SEED, recipe: this.recipe.value },
    );
  }

  #startWorker(): Worker {
    this.#isLoaded = false;
    const worker = new Worker(new URL('../worker/main.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Report>) => this.#receive(data);
    worker.onmessageerror = () => this.#fail('A message of its worker could not be read.');
    worker.onerror = ({ message }) =>
      this.#fail(message ? `Its worker failed: ${message}.` : 'Its worker could not be loaded.');
    return worker;
  }

  #send(request: Request): void {
    this.#worker?.postMessage(request);
  }

  /** Saves a snapshot at once; shows the report with the next frame. */
  #receive(report: Report): void {
    this.#isLoaded = true;
    this.#silence = 0;
    const isOpening = this.status.value === 'opening';
    // The report is about the previous student.
    if (isOpening && report.kind !== 'opened' && report.kind !== 'failed') return;
    if ('snapshot' in report) {
      this.#snapshot = report.snapshot;
      save('snapshot', report.snapshot);
    }
    if (this.#reports.size === 0) requestAnimationFrame(() => this.#showReports());
    this.#reports.delete(report.kind); // keeps the reports in the order of their arrival
    this.#reports.set(report.kind, report);
  }

  #showReports(): void {
    const reports = [...this.#reports.values()];
    this.#reports.clear();
    batch(() => {
      for (const report of reports) this.#show(report);
    });
    this.#askIfStale();
  }

  #show(report: Report): void {
    switch (report.kind) {
      case 'opened':
        this.facts.value = report;
        this.#rest(report.step);
        // the recipe may have changed meanwhile
        this.#send({ kind: 'teach', recipe: this.recipe.value });
        if (this.#trainsOnceOpened) this.train();
        break;
      case 'step':
        this.step.value = report.step;
        this.loss.value = report.loss;
        this.components.value = report.components;
        this.#isAnswerStale ||= report.step % STEPS_BETWEEN_ANSWERS === 0;
        break;
      case 'evaluated':
        this.curve.value = report.snapshot.curve;
        break;
      case 'paused':
      case 'finished':
        this.#rest(report.snapshot.step);
        this.#isAnswerStale = true;
        break;
      case 'answer':
        if (this.#asked && this.pixels.value) {
          this.answers.value = {
            pixels: this.#asked,
            teacher: report.teacher,
            student: report.student,
          };
        }
        this.#asked = undefined;
        break;
      case 'failed':
        this.#fail(report.message);
        break;
    }
  }

  #rest(step: number): void {
    this.#isPausing = false;
    this.step.value = step;
    this.status.value = step === this.facts.value?.steps ? 'finished' : 'ready';
  }

  #askIfStale(): void {
    const pixels = this.pixels.value;
    if (!this.#isOpen || !pixels || this.#asked || !this.#isAnswerStale) return;
    this.#isAnswerStale = false;
    this.#asked = pixels;
    this.#send({ kind: 'ask', pixels });
  }

  /**
   * Runs every second while the page is awake, so that the sleep of the computer does not count.
   */
  #watch(): void {
    const isReportDue =
      ['opening', 'training'].includes(this.status.value) || this.#asked !== undefined;
    // A page in the background draws no frames, so that its reports wait here.
    if (!isReportDue || this.#reports.size > 0) return;
    this.#silence++;
    const patience = this.#isLoaded ? PATIENCE : PATIENCE_WHILE_LOADING;
    if (this.#silence > patience) {
      this.#fail(
        `Its worker gave no sign of life for ${patience} seconds: the browser may have ended it.`,
      );
    }
  }

  #fail(reason: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#trainsOnceOpened = this.status.value === 'training';
    this.#asked = undefined;
    this.#reports.clear();
    this.failure.value = reason;
    this.status.value = 'failed';
  }
}
