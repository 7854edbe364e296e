import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { CurvePoint, Facts, Recipe } from '../worker/protocol.js';
import { LAP } from '../worker/settings.js';
import { loadStudentFiles, loadTeacher, progress } from './files.js';
import type { Lane } from './lanes.js';
import { endOfLap, paceOf } from './pace.js';
import { LABELS_ONLY, TEACHERS_ANSWERS } from './presets.js';
import { isSameRecipe } from './recipes.js';
import { change, forget, type Saved, save } from './storage.js';
import { type AnswerAbout, Student } from './student.js';

/**
 * `loading`: the teacher is not there yet; `preparing`: the teacher answers, the students are not
 * there yet; `failed`: a worker is gone, or a file could not be loaded.
 */
export type RaceStatus = 'loading' | 'preparing' | 'ready' | 'training' | 'failed';

/** An earlier student of the lane `taught`: its curve, and the recipe of its last steps. */
export interface Run {
  readonly id: string;
  readonly recipe: Recipe;
  readonly curve: readonly CurvePoint[];
}

/** Number of earlier students that are kept. */
const MOST_RUNS = 12;

/** Two students that train side by side, step by step. */
export class Race {
  readonly students: Readonly<Record<Lane, Student>> = {
    labels: new Student(LABELS_ONLY, (snapshot) => save('labels', snapshot)),
    taught: new Student(TEACHERS_ANSWERS, (snapshot) => save('taught', snapshot)),
  };
  /** The recipe of the lane `taught`. */
  readonly recipe: Signal<Recipe> = this.students.taught.recipe;
  /** The step of the student that is behind. */
  readonly step: ReadonlySignal<number> = computed(() => Math.min(...this.#steps));
  /** The last step of the present lap. */
  readonly end: ReadonlySignal<number> = computed(
    () => Math.max(1, Math.ceil(this.step.value / LAP)) * LAP,
  );
  readonly facts: Signal<Facts | undefined> = this.students.taught.facts;
  /** The image on the pad. */
  readonly pixels: Signal<Float32Array | undefined> = signal(undefined);
  readonly teacher: Signal<AnswerAbout | undefined> = this.students.taught.teacher;
  /** Earlier students of the lane `taught`, the newest first. */
  readonly runs: Signal<readonly Run[]> = signal([]);
  /** True between a lap, whose last results are there, and the next one. */
  readonly isLapOver: ReadonlySignal<boolean> = computed(() => this.#findLapOver());
  /** The loaded part of all files, in [0, 1]. */
  readonly progress: ReadonlySignal<number> = progress;
  /** Why a worker is gone or a file missing; the students are shown as they will go on. */
  readonly failure: ReadonlySignal<string | undefined> = computed(() => this.#findFailure());
  readonly status: ReadonlySignal<RaceStatus> = computed(() => this.#findStatus());

  readonly #isTraining: Signal<boolean> = signal(false);
  readonly #loadFailure: Signal<string | undefined> = signal(undefined);
  /** The teacher's weights. */
  #weights: Float32Array | undefined;
  /** The step at which the training pauses. */
  #goal = 0;

  /**
   * Loads the teacher, then the students. `recipe` comes from a link: if it is not the recipe of
   * the saved student, a new student starts.
   */
  async start(saved: Partial<Saved>, recipe?: Recipe): Promise<void> {
    const { labels, taught } = this.students;
    if (saved.runs) this.runs.value = saved.runs;
    if (saved.labels) labels.restore(saved.labels);
    if (saved.taught) taught.restore(saved.taught);
    if (saved.recipe) this.recipe.value = saved.recipe;
    if (recipe && !isSameRecipe(recipe, this.recipe.value)) {
      this.#retire();
      this.teach(recipe);
    }
    taught.start();
    effect(() => this.#keepPace());
    await this.#load();
  }

  /** Trains both students up to the end of the lap. */
  train(): void {
    this.#goal = endOfLap(this.#steps, LAP);
    this.#isTraining.value = true;
  }

  pause(): void {
    if (!this.#isTraining.value) return;
    this.#isTraining.value = false;
    for (const student of this.#all) student.pause();
  }

  /** Changes the recipe of the steps that follow in the lane `taught`. */
  teach(recipe: Recipe): void {
    this.students.taught.teach(recipe);
    save('recipe', recipe);
  }

  /** Shows an image to the teacher and to both students. */
  ask(pixels: Float32Array | undefined): void {
    this.pixels.value = pixels;
    this.students.taught.ask(pixels, ['teacher', 'student']);
    this.students.labels.ask(pixels, ['student']);
  }

  /** After a failure: starts anew what has failed, from the last snapshots. */
  goOn(): void {
    for (const student of this.#all) {
      if (student.status.value === 'failed') student.start();
    }
    if (this.#loadFailure.value !== undefined) this.#load();
  }

  /** Keeps the curve of the student in the lane `taught`, and trains a new one with its recipe. */
  trainNew(): void {
    batch(() => {
      this.#retire();
      this.goOn();
      this.train();
    });
  }

  /** Forgets the earlier students. */
  forgetRuns(): void {
    this.runs.value = [];
    forget('runs');
  }

  get #all(): readonly Student[] {
    return [this.students.labels, this.students.taught];
  }

  get #steps(): readonly number[] {
    return this.#all.map(({ step }) => step.value);
  }

  /** Loads the teacher first, so that it answers early; the second worker comes last. */
  async #load(): Promise<void> {
    const { labels, taught } = this.students;
    this.#loadFailure.value = undefined;
    try {
      this.#weights ??= await loadTeacher();
      for (const student of this.#all) student.meetTeacher(this.#weights);
      await becomesTrue(() => taught.status.value !== 'loading');
      const files = await loadStudentFiles(this.#weights);
      for (const student of this.#all) student.prepare(files);
      labels.start();
    } catch (error) {
      this.#loadFailure.value = `A file could not be loaded (${error}).`;
    }
  }

  /** Lets each student train as far as the other one allows, up to the end of the lap. */
  #keepPace(): void {
    if (!this.#isTraining.value) return;
    if (this.step.value >= this.#goal) {
      this.#isTraining.value = false;
    } else if (
      this.#all.every(({ status: { value } }) => value === 'ready' || value === 'training')
    ) {
      const until = paceOf(this.#steps, this.#goal);
      for (const student of this.#all) student.trainUntil(until);
    }
  }

  /** Keeps the curve of the student in the lane `taught`, and replaces the student by a new one. */
  #retire(): void {
    const { taught } = this.students;
    const curve = taught.curve.value;
    if (curve.length > 1) {
      const run = { id: new Date().toISOString(), recipe: curve.at(-1)!.recipe, curve };
      const add = (runs: readonly Run[] = []) => [run, ...runs].slice(0, MOST_RUNS);
      this.runs.value = add(this.runs.value);
      change('runs', add);
    }
    taught.startOver();
    forget('taught');
  }

  #findFailure(): string | undefined {
    const failures = this.#all.map(({ failure }) => failure.value);
    return failures.find((failure) => failure !== undefined) ?? this.#loadFailure.value;
  }

  #findLapOver(): boolean {
    const step = this.step.value;
    const isEvaluated = this.#all.every(({ curve }) => (curve.value.at(-1)?.step ?? 0) >= step);
    return this.status.value === 'ready' && step > 0 && step === this.end.value && isEvaluated;
  }

  #findStatus(): RaceStatus {
    if (this.failure.value !== undefined) return 'failed';
    const facts = this.#all.map((student) => student.facts.value);
    if (facts.every((known) => known !== undefined)) {
      return this.#isTraining.value ? 'training' : 'ready';
    }
    return this.students.taught.status.value === 'loading' ? 'loading' : 'preparing';
  }
}

/** Resolves once a condition on signals is true. */
function becomesTrue(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (!condition()) return;
      queueMicrotask(() => stop());
      resolve();
    });
  });
}
