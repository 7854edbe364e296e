import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ComponentLoss } from 'knowledge-distillation';
import type { CurvePoint, Recipe } from '../worker/protocol.js';
import { loadSamples } from './files.js';
import { Race } from './race.js';
import { soften } from './soften.js';
import type { Saved } from './storage.js';
import type { AnswerAbout, Who } from './student.js';

export type { Who } from './student.js';
export type Status = 'opening' | 'ready' | 'training' | 'finished' | 'failed';

export interface ShownAnswer {
  readonly probabilities: Float32Array;
  readonly attention: Float32Array;
}

export interface Answers extends Readonly<Record<Who, ShownAnswer>> {
  readonly pixels: Float32Array;
}

interface ShownFacts {
  readonly teacher: { readonly accuracy: number; readonly parameters: number };
  readonly student: { readonly parameters: number };
  readonly steps: number;
  readonly labelledImages: number;
  readonly heldOutImages: number;
  readonly samples: readonly Float32Array[];
}

/** The taught student of the race, for the view of one student. */
export class Trainer {
  readonly race: Race = new Race();
  readonly #taught = this.race.students.taught;
  readonly #samples: Signal<readonly Float32Array[]> = signal([]);
  readonly recipe: Signal<Recipe> = this.race.recipe;
  readonly step: Signal<number> = this.#taught.step;
  readonly loss: Signal<number | undefined> = this.#taught.loss;
  readonly components: Signal<readonly ComponentLoss[]> = this.#taught.components;
  readonly curve: Signal<readonly CurvePoint[]> = this.#taught.curve;
  readonly pixels: Signal<Float32Array | undefined> = this.race.pixels;
  readonly failure: ReadonlySignal<string | undefined> = this.race.failure;
  readonly earlierCurve: ReadonlySignal<readonly CurvePoint[]> = computed(
    () => this.race.runs.value[0]?.curve ?? [],
  );
  readonly status: ReadonlySignal<Status> = computed(() => {
    const status = this.race.status.value;
    return status === 'loading' || status === 'preparing' ? 'opening' : status;
  });
  readonly facts: ReadonlySignal<ShownFacts | undefined> = computed(() => {
    const facts = this.race.facts.value;
    return facts && { ...facts, steps: this.race.end.value!, samples: this.#samples.value };
  });
  readonly answers: ReadonlySignal<Answers | undefined> = computed(() => {
    const teacher = this.race.teacher.value;
    const student = this.#taught.answer.value;
    return teacher && student
      ? { pixels: teacher.pixels, teacher: show(teacher), student: show(student) }
      : undefined;
  });

  async start(saved: Partial<Saved>): Promise<void> {
    this.#samples.value = await loadSamples();
    await this.race.start(saved);
  }

  train(): void {
    this.race.train();
  }

  pause(): void {
    this.race.pause();
  }

  teach(recipe: Recipe): void {
    this.race.teach(recipe);
  }

  ask(pixels: Float32Array | undefined): void {
    this.race.ask(pixels);
  }

  goOn(): void {
    this.race.goOn();
  }

  startOver(): void {
    this.race.trainNew();
  }

  get snapshotStep(): number {
    return this.#taught.snapshotStep;
  }
}

function show({ logits, attention }: AnswerAbout): ShownAnswer {
  return { probabilities: soften(logits), attention };
}
