import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DistillationBatch,
  DistillationStrategyBase,
  type EvaluationOptions,
  type FloatArray,
  type GradientSink,
  type IDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { type LawOptions, type StrategySubject, strategyLaws } from '../../src/testing/index.js';
import { refusal, wrong } from '../support/refusal.js';

type Break =
  | 'nothing'
  | 'gradient'
  | 'loss of its own'
  | 'minimum'
  | 'reads masked rows'
  | 'writes inputs'
  | 'scale'
  | 'swallows NaN'
  | 'adds before it fails'
  | 'overwrites before it fails'
  | 'one buffer'
  | 'position'
  | 'batch'
  | 'single precision';

/** Σ ½ (s − t)², mean over rows, with one defect. */
class Squares<T extends FloatArray> extends DistillationStrategyBase<T> {
  #buffer: Matrix<T> | undefined;
  constructor(readonly broken: Break) {
    super();
  }
  override computeLoss(...call: Parameters<DistillationStrategyBase<T>['computeLoss']>): number {
    return super.computeLoss(...call) + (this.broken === 'loss of its own' ? 1e-15 : 0);
  }
  override computeGradient(
    ...call: Parameters<DistillationStrategyBase<T>['computeGradient']>
  ): Matrix<T> {
    const gradient = this.#failing(call[3], () => super.computeGradient(...call));
    if (this.broken !== 'one buffer' || call[3]?.gradient) return gradient;
    this.#buffer ??= gradient;
    this.#buffer.data.set(gradient.data);
    return this.#buffer;
  }
  /** Changes the gradient of a call that fails. */
  #failing<R>(options: EvaluationOptions<T> | undefined, call: () => R): R {
    try {
      return call();
    } catch (error) {
      const marked = options?.accumulate ? 'adds before it fails' : 'overwrites before it fails';
      if (this.broken === marked && options?.gradient) options.gradient.data[0]! += 1;
      throw error;
    }
  }
  protected override evaluate(
    { student, teacher, rows, normalizer }: DistillationBatch<T>,
    gradient?: GradientSink<T>,
  ): number {
    const { columns } = student;
    const all = this.broken === 'reads masked rows' ? new Int32Array(student.rows).keys() : rows;
    const factor = this.broken === 'batch' ? rows.length : 1;
    const scale = this.broken === 'scale' && gradient ? 1 / gradient.scale : 1;
    let sum = this.broken === 'minimum' ? 0.5 * rows.length : 0;
    for (const row of all) {
      const derivative = new Float64Array(columns);
      for (let j = 0; j < columns; j++) {
        const i = row * columns + j;
        const weight = factor * (this.broken === 'position' ? 1 + j : 1);
        const shift =
          this.broken === 'single precision' && student.numeric.dtype === 'float32' ? 0.01 : 0;
        const difference = student.data[i]! - teacher.data[i]! + shift;
        const u = this.broken === 'swallows NaN' && Number.isNaN(difference) ? 0 : difference;
        sum += weight * 0.5 * u * u;
        derivative[j] = (scale * weight * (this.broken === 'gradient' ? 2 * u : u)) / normalizer;
        if (this.broken === 'writes inputs' && gradient) student.data[i]! += 1;
      }
      gradient?.add(row, derivative);
    }
    return sum / normalizer;
  }
}

function subjectOf(broken: Break): StrategySubject {
  const create = <T extends FloatArray>(): IDistillationStrategy<T> => new Squares<T>(broken);
  return { create, values: 'features', invariances: ['row-order', 'column-order'] };
}

/** Returns the names of the laws that a strategy breaks. */
function brokenLaws(broken: Break): string[] {
  return strategyLaws(fc, subjectOf(broken))
    .filter(({ check }) => {
      try {
        check();
        return false;
      } catch {
        return true;
      }
    })
    .map(({ name }) => name);
}

describe('strategyLaws', () => {
  test('hold for a correct strategy', () => {
    expect(brokenLaws('nothing')).toEqual([]);
  });

  test('treat undefined properties of a subject as missing', () => {
    const unset = {
      heldAt: undefined,
      minimum: undefined,
      reachesMinimum: undefined,
      isRegular: undefined,
      readsTeacher: undefined,
      sumOverRows: undefined,
      float32Tolerance: undefined,
      rounding: undefined,
    };
    const laws = strategyLaws(fc, { ...subjectOf('nothing'), ...unset }, { numRuns: 5 });
    for (const law of laws) law.check();
    expect(laws.map(({ name }) => name)).toEqual(
      strategyLaws(fc, subjectOf('nothing')).map(({ name }) => name),
    );
  });

  test('allow any content in an overwritten gradient after a failed call', () => {
    expect(brokenLaws('overwrites before it fails')).toEqual([]);
  });

  test.each<[Break, string]>([
    ['gradient', 'the gradient is the derivative of the loss'],
    ['loss of its own', 'loss and gradient agree to the bit, however they are asked for'],
    ['minimum', 'the loss is at least its minimum, and reaches it at student = teacher'],
    ['reads masked rows', 'rows that are masked out may hold anything'],
    ['single precision', 'float32 agrees with float64'],
    ['writes inputs', 'inputs stay untouched; a given gradient gets what a new one gets'],
    ['scale', 'a weight in a hybrid weights loss and gradient'],
    ['swallows NaN', 'a NaN in a row that counts is refused, and nothing is added'],
    ['adds before it fails', 'a NaN in a row that counts is refused, and nothing is added'],
    ['one buffer', 'loss and gradient agree to the bit, however they are asked for'],
    ['position', 'the loss does not change with column-order'],
    ['batch', 'chunks with one normalizer add up'],
  ])('fail for a strategy with this defect: %s', (broken, law) => {
    expect(brokenLaws(broken)).toContain(law);
  });

  test('require that a weight that passes no gradient is held, with an equal gradient', () => {
    /** Weighted by the row's mean of squares, of the held student if there is one. */
    class Weighted<T extends FloatArray> extends DistillationStrategyBase<T> {
      constructor(readonly held?: Matrix<T>) {
        super();
      }
      protected override evaluate(
        { student, teacher, rows, normalizer }: DistillationBatch<T>,
        gradient?: GradientSink<T>,
      ): number {
        let sum = 0;
        for (const row of rows) {
          const x = Float64Array.from((this.held ?? student).row(row));
          const weight = x.reduce((total, each) => total + each * each, 0);
          const u = Float64Array.from(student.row(row), (each, j) => each - teacher.get(row, j));
          sum += u.reduce((total, d) => total + 0.5 * weight * d * d, 0);
          gradient?.add(
            row,
            u.map((d) => (weight * d) / normalizer),
          );
        }
        return sum / normalizer;
      }
    }
    const check = (heldAt?: StrategySubject['heldAt']) => {
      const create = <T extends FloatArray>() => new Weighted<T>();
      const values = 'features' as const;
      const subject = { create, values, invariances: [], ...(heldAt && { heldAt }) };
      strategyLaws(fc, subject)[0]?.check();
    };
    expect(() => check()).toThrow('the gradient is not the derivative of the loss');
    expect(() => check((student) => new Weighted(student.zerosLike()))).toThrow(
      'gradient of what is held',
    );
    expect(() => check((student) => new Weighted(student))).not.toThrow();
  });

  test('find a division by 0 in every run, also where isRegular excludes rows of zeros', () => {
    /** 1 − cos(student, teacher), which is 0/0 at a row of zeros. */
    class Cosine<T extends FloatArray> extends DistillationStrategyBase<T> {
      protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
        const { student, teacher, rows, normalizer } = batch;
        let sum = 0;
        for (const row of rows) {
          const [s, t] = [student, teacher].map((side) => Float64Array.from(side.row(row)));
          const norms = Math.hypot(...s!) * Math.hypot(...t!);
          const cosine = s!.reduce((total, each, j) => total + each * t![j]!, 0) / norms;
          sum += 1 - cosine;
          const square = Math.hypot(...s!) ** 2;
          gradient?.add(
            row,
            s!.map((each, j) => ((cosine * each) / square - t![j]! / norms) / normalizer),
          );
        }
        return sum / normalizer;
      }
    }
    const create = <T extends FloatArray>() => new Cosine<T>();
    const isNonzero = (row: readonly number[]) => row.some((value) => value !== 0);
    for (const isRegular of [undefined, isNonzero]) {
      for (let seed = 0; seed < 40; seed++) {
        const subject = { create, values: 'features', invariances: [], isRegular } as const;
        const laws = strategyLaws(fc, subject, { seed, numRuns: 1 });
        const finite = laws.find(({ name }) => name.includes('are finite'))!;
        expect(finite.check, `seed ${seed}`).toThrow();
      }
    }
  });

  test('report the name of the law, a seed and a counterexample', () => {
    const law = strategyLaws(fc, subjectOf('gradient')).find(({ name }) => /derivative/.test(name));
    expect(() => law?.check()).toThrow(/^.*derivative.*: [\s\S]*seed: -?\d+[\s\S]*Counterexample/);
  });

  test("start each message with the law's name, and use the given seed", () => {
    const create = (): never => {
      throw new Error('no strategy');
    };
    const subject: StrategySubject = { ...subjectOf('nothing'), create };
    for (const { name, check } of strategyLaws(fc, subject, { seed: 5 })) {
      expect(check).toThrow(`${name}: Property failed after`);
      expect(check).toThrow(/seed: 5,/);
    }
  });

  test('make the same cases for the same seed, as many as requested', () => {
    /** The students of each law's calls. */
    const studentsOf = (options: LawOptions) => {
      const seen: string[] = [];
      const create = <T extends FloatArray>(): IDistillationStrategy<T> => {
        seen.push('');
        const strategy = new Squares<T>('nothing');
        const computeLoss: IDistillationStrategy<T>['computeLoss'] = (student, ...rest) => {
          seen.push(student.data.join());
          return strategy.computeLoss(student, ...rest);
        };
        const { temperature, alpha } = strategy;
        const computeGradient: IDistillationStrategy<T>['computeGradient'] = (...call) =>
          strategy.computeGradient(...call);
        return { temperature, alpha, computeLoss, computeGradient };
      };
      const subject = { ...subjectOf('nothing'), create };
      return strategyLaws(fc, subject, options).map(({ check }) => {
        seen.length = 0;
        check();
        return { students: seen.join(' '), made: seen.filter((each) => each === '').length };
      });
    };
    const first = studentsOf({ seed: 5, numRuns: 2 });
    expect(studentsOf({ seed: 5, numRuns: 2 })).toEqual(first);
    studentsOf({ seed: 6, numRuns: 2 }).forEach(({ students }, law) => {
      if (/\d/.test(students)) expect(students).not.toEqual(first[law]!.students);
    });
    const [four, six] = [4, 6].map((numRuns) => studentsOf({ seed: 5, numRuns }));
    // The fixed cases are the same in all runs; the random ones are two more each time.
    const steps = four!.map(({ made }, law) => made - first[law]!.made);
    expect(six!.map(({ made }, law) => made - four![law]!.made)).toEqual(steps);
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(2);
  });

  test('refuse invalid options', () => {
    const laws = (options: LawOptions) => () =>
      strategyLaws(fc, subjectOf('nothing'), options).length;
    expect(laws({ seed: undefined, numRuns: undefined })()).toBe(14);
    expect(laws(wrong({ runs: 10 }))).toThrow(/unknown option "runs".*seed, numRuns/);
    expect(laws({ numRuns: 0 })).toThrow('strategyLaws: numRuns must be an integer ≥ 1, got 0');
    expect(laws({ seed: 0.5 })).toThrow('strategyLaws: seed must be an integer, got 0.5');
  });

  test('accept any implementation of the interface', () => {
    const create = <T extends FloatArray>(): IDistillationStrategy<T> => {
      const inner = new Squares<T>('nothing');
      return {
        temperature: 1,
        alpha: 0,
        computeLoss: (...call) => inner.computeLoss(...call),
        computeGradient: (...call) => inner.computeGradient(...call),
      };
    };
    const laws = strategyLaws(fc, { create, values: 'features', invariances: [] });
    for (const { check } of laws) expect(check).not.toThrow();
    expect(create<Float32Array>().computeLoss(Matrix.zeros(1, 1), Matrix.zeros(1, 1))).toBe(0);
  });
});

test.each([
  ['values', { values: 'logit' }, 'OUT_OF_RANGE'],
  ['invariances', { invariances: undefined }, 'WRONG_TYPE'],
  ['invariances', { invariances: ['rows'] }, 'OUT_OF_RANGE'],
  ['create', { create: undefined }, 'WRONG_TYPE'],
  ['', { reachMinimum: false }, 'UNKNOWN_OPTION'],
])('a subject with an invalid %s is refused', (field, change, code) => {
  const subject = {
    create: () => new ResponseDistillationStrategy(),
    values: 'logits',
    invariances: [],
    ...change,
  };
  const error = refusal(() => strategyLaws(fc, wrong(subject)));
  expect(error).toMatchObject({ code, argument: field === '' ? 'subject' : `subject.${field}` });
});
