import { describe, expect, test } from 'vitest';
import {
  ContrastiveMemory,
  ContrastiveRepresentationDistillationStrategy,
  type DistillationBatch,
  DistillationStrategyBase,
  FeatureDistillationStrategy,
  type FloatArray,
  float32,
  float64,
  type GradientSink,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  LinearProjection,
  loadState,
  Matrix,
  meanOverRows,
  type NumericTrait,
  Parameter,
  ResponseDistillationStrategy,
  type StrategyState,
  saveState,
  VariationalDistillationStrategy,
} from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

/** Returns a state as a later run reads it. */
function throughJSON(state: StrategyState): unknown {
  return JSON.parse(JSON.stringify(state));
}

/** A hybrid with every kind of learned state; `seed` determines the initial values. */
function createTraining<T extends FloatArray>(numeric: NumericTrait<T>, seed: number) {
  const options = (name: string) => ({ numeric, name, bias: true, seed });
  const memory = new ContrastiveMemory(12, 3, { numeric, negatives: 5, seed });
  const contrast = new ContrastiveRepresentationDistillationStrategy({
    memory,
    projection: new LinearProjection(2, 3, options('student')),
    teacherProjection: new LinearProjection(4, 3, options('teacher')),
  });
  const variational = new VariationalDistillationStrategy<T>({
    channels: 2,
    numeric,
    initialVariance: 1 + seed,
    projection: new LinearProjection(1, 2, options('channels')),
  });
  const inner = new HybridDistillationStrategy<T>([
    { strategy: contrast, weight: 0.5, name: 'contrast' },
    { strategy: variational, weight: 0.5 },
  ]);
  const hybrid = new HybridDistillationStrategy<T>([
    { strategy: new ResponseDistillationStrategy<T>(), weight: 0.5, layer: 'logits' },
    { strategy: inner, weight: 0.5 },
  ]);
  return { hybrid, memory, contrast };
}

/** Trains for some steps; returns all results and the state after them. */
function train<T extends FloatArray>(
  { hybrid, memory, contrast }: ReturnType<typeof createTraining<T>>,
  numeric: NumericTrait<T>,
  first: number,
  last: number,
): unknown {
  const trace: unknown[] = [];
  for (let step = first; step < last; step++) {
    const samples = [step % 12, (5 * step + 1) % 12, (7 * step + 2) % 12];
    const side = (columns: number, phase: number): Matrix<T> =>
      Matrix.fromRows(
        samples.map((sample) =>
          Array.from({ length: columns }, (_, j) => Math.sin(3 * sample + 2 * j + phase)),
        ),
        numeric,
      );
    const [student, teacher] = [side(2, 0), side(4, 1)];
    memory.select(samples);
    if (step === 0) contrast.calibrate(student, teacher);
    const { loss, gradients } = hybrid.computeLayerwise(
      { output: student, logits: side(4, 2) },
      { output: teacher, logits: side(4, 3) },
    );
    for (const { value, gradient } of hybrid.parameters()) {
      for (let i = 0; i < value.data.length; i++) value.data[i]! -= 0.1 * gradient.data[i]!;
    }
    contrast.remember(student, teacher);
    trace.push(loss, ...Object.values(gradients).map((gradient) => gradient.toRows()));
  }
  return [...trace, saveState(hybrid)];
}

describe('a training resumes', () => {
  test.each([float32, float64])('with the same bits from its state, $dtype', (numeric) => {
    const training = createTraining<FloatArray>(numeric, 1);
    train(training, numeric, 0, 5);
    const state = throughJSON(saveState(training.hybrid));
    const expected = train(training, numeric, 5, 10);

    const another = createTraining<FloatArray>(numeric, 2);
    loadState(another.hybrid, state);
    expect(train(another, numeric, 5, 10)).toEqual(expected);

    const anew = createTraining<FloatArray>(numeric, 2);
    anew.memory.logNormalizers = { student: 1, teacher: 1 };
    expect(train(anew, numeric, 5, 10)).not.toEqual(expected);
  });

  test('only after the samples of the next batch are selected', () => {
    const { hybrid, memory, contrast } = createTraining(float32, 1);
    train({ hybrid, memory, contrast }, float32, 0, 1);
    expect(memory.entries).not.toHaveLength(0);
    loadState(hybrid, saveState(hybrid));
    const rows = (columns: number) => Matrix.zeros(3, columns);
    const call = () => contrast.computeLoss(rows(2), rows(4));
    expect(refusal(call)).toMatchObject({ argument: 'memory.entries', code: 'SHAPE_MISMATCH' });
  });
});

describe('a state', () => {
  test('is plain data', () => {
    const projection = new LinearProjection(1, 2, { numeric: float64 });
    projection.parameters()[0]!.value.data.set([0.1, -0]);
    const state = saveState(new FeatureDistillationStrategy({ projection }));
    const value = { dtype: 'float64', rows: 1, columns: 2, data: [0.1, '-0'] };
    expect(state).toEqual({ parameters: [{ name: 'weight', value }], memories: [] });
    expect(throughJSON(state)).toEqual(state);
    expect(structuredClone(state)).toEqual(state);
  });

  test('of a strategy without parameters is empty', () => {
    const strategy = new ResponseDistillationStrategy();
    expect(saveState(strategy)).toEqual({ parameters: [], memories: [] });
    loadState(strategy, { parameters: [], memories: [] });
  });

  test('is a copy', () => {
    const projection = new LinearProjection(1, 1);
    const strategy = new FeatureDistillationStrategy({ projection });
    const state = saveState(strategy);
    const before = throughJSON(state);
    projection.parameters()[0]!.value.data.fill(9);
    expect(state).toEqual(before);
  });

  test('names each part by the entries that lead to it', () => {
    const { parameters, memories } = saveState(createTraining(float32, 1).hybrid);
    const contrast = 'HybridDistillationStrategy → contrast → ';
    const variational = 'HybridDistillationStrategy → VariationalDistillationStrategy → ';
    expect(parameters.map(({ name }) => name)).toEqual([
      `${contrast}student weight`,
      `${contrast}student bias`,
      `${contrast}teacher weight`,
      `${contrast}teacher bias`,
      `${variational}channels weight`,
      `${variational}channels bias`,
      `${variational}scale`,
    ]);
    expect(memories.map(({ name }) => name)).toEqual([`${contrast}memory`]);
  });

  test('has a shared object once, at its first place', () => {
    const projection = new LinearProjection(2, 2);
    const memory = new ContrastiveMemory(3, 2);
    const contrast = new ContrastiveRepresentationDistillationStrategy({ memory, projection });
    const feature = new FeatureDistillationStrategy({ projection });
    const strategy = new HybridDistillationStrategy([
      { strategy: feature, weight: 0.5, name: 'a' },
      { strategy: contrast, weight: 0.25, name: 'b' },
      {
        strategy: new HybridDistillationStrategy([{ strategy: contrast, weight: 1 }]),
        weight: 0.25,
      },
    ]);
    const { parameters, memories } = saveState(strategy);
    expect(parameters.map(({ name }) => name)).toEqual(['a → weight']);
    expect(memories.map(({ name }) => name)).toEqual(['b → memory']);
  });

  test('is refused if a value is not finite', () => {
    const projection = new LinearProjection(2, 2);
    const strategy = new FeatureDistillationStrategy({ projection });
    const hybrid = new HybridDistillationStrategy([{ strategy, weight: 1, name: 'hidden' }]);
    projection.parameters()[0]!.value.set(1, 0, Number.NaN);
    const expected = { operation: 'saveState', code: 'NOT_FINITE', argument: 'hidden → weight' };
    expect(refusal(() => saveState(hybrid))).toMatchObject({ ...expected, row: 1, column: 0 });
  });
});

/** ½ (student · factor − teacher)², mean over rows. */
class Scaled extends DistillationStrategyBase {
  readonly factor: Parameter = new Parameter('factor', 1, 1, float32);

  override parameters(): readonly Parameter[] {
    return [this.factor];
  }

  protected override evaluate(batch: DistillationBatch, gradient?: GradientSink): number {
    const { student, teacher } = batch;
    const factor = this.factor.value.get(0, 0);
    return meanOverRows(batch, gradient, (s, t, derivative) => {
      const error = student.data[s]! * factor - teacher.data[t]!;
      if (derivative) derivative[0] = error * factor;
      return 0.5 * error ** 2;
    });
  }
}

describe("a user's strategy", () => {
  test('is saved and loaded if it has parameters', () => {
    const create = (factor: number): Scaled => {
      const strategy = new Scaled();
      strategy.factor.value.data[0] = factor;
      return strategy;
    };
    const [from, to] = [create(3), create(4)];
    loadState(to, throughJSON(saveState(from)));
    expect(to.factor.value.get(0, 0)).toBe(3);
  });

  test('may implement only the interface, in a hybrid too', () => {
    const bare = (factor: number) => {
      const value = Matrix.fromRows([[factor]]);
      const strategy: IDistillationStrategy & { parameters(): object[] } = {
        temperature: 1,
        alpha: 0,
        computeLoss: () => 0,
        computeGradient: (student) => student.zerosLike(),
        parameters: () => [{ name: 'factor', value }],
      };
      return { hybrid: new HybridDistillationStrategy([{ strategy, weight: 1 }]), value };
    };
    const [from, to] = [bare(3), bare(4)];
    const state = saveState(from.hybrid);
    expect(state.parameters.map(({ name }) => name)).toEqual(['Object → factor']);
    loadState(to.hybrid, state);
    expect(to.value.get(0, 0)).toBe(3);
  });

  test('may have another property that is called memory', () => {
    const strategy = Object.assign(new Scaled(), { memory: new Map([[1, 2]]), parameters: 3 });
    expect(saveState(wrong<Scaled>(strategy))).toEqual({ parameters: [], memories: [] });
  });
});

describe('loadState refuses', () => {
  type Parts = { parameters: { name: string; value: object }[]; memories: object[] };

  const { hybrid } = createTraining(float32, 1);
  const state = wrong<Parts>(throughJSON(saveState(hybrid)));
  const [parameter, ...others] = state.parameters as [Parts['parameters'][0]];
  const [memory] = state.memories as [Record<string, object>];
  const last = others.at(-1) as Parts['parameters'][0];

  /** The state with a change of the last parameter, which is checked after all others. */
  const withLast = (change: object) => ({
    ...state,
    parameters: [
      parameter,
      ...others.slice(0, -1),
      { ...last, value: { ...last.value, ...change } },
    ],
  });
  const withMemory = (change: object) => ({ ...state, memories: [{ ...memory, ...change }] });
  const withVectors = (change: object) => withMemory({ teacher: { ...memory.teacher, ...change } });
  const data = (value: unknown) => [...Array(35).fill(0), value];

  test.each<[string, unknown, object]>([
    ['a text', JSON.stringify(state), { code: 'WRONG_TYPE', argument: 'state' }],
    ['nothing', undefined, { code: 'WRONG_TYPE', argument: 'state' }],
    ['another key', { ...state, optimizer: {} }, { code: 'UNKNOWN_OPTION', argument: 'state' }],
    ['no parameters', { memories: [] }, { code: 'WRONG_TYPE', argument: 'state.parameters' }],
    [
      'no memories',
      { ...state, memories: undefined },
      { code: 'WRONG_TYPE', argument: 'state.memories' },
    ],
    [
      'too few parameters',
      { ...state, parameters: [parameter] },
      { code: 'SHAPE_MISMATCH', argument: 'state.parameters' },
    ],
    [
      'too many memories',
      { ...state, memories: [memory, memory] },
      { code: 'SHAPE_MISMATCH', argument: 'state.memories' },
    ],
    [
      'another order',
      { ...state, parameters: [...others, parameter] },
      { code: 'OUT_OF_RANGE', argument: 'state.parameters[0].name' },
    ],
    [
      'a hole',
      { ...state, parameters: [null, ...others] },
      { code: 'WRONG_TYPE', argument: 'state.parameters[0].name' },
    ],
    [
      'another key of a parameter',
      { ...state, parameters: [{ ...parameter, gradient: [] }, ...others] },
      { code: 'UNKNOWN_OPTION', argument: 'state.parameters[0]' },
    ],
    [
      'another shape',
      withLast({ rows: 2, columns: 1 }),
      { code: 'SHAPE_MISMATCH', argument: 'state.parameters[6].value' },
    ],
    [
      'another format',
      withLast({ dtype: 'float64' }),
      { code: 'DTYPE_MISMATCH', argument: 'state.parameters[6].value.dtype' },
    ],
    [
      'too few values',
      withLast({ data: [1] }),
      { code: 'SHAPE_MISMATCH', argument: 'state.parameters[6].value.data' },
    ],
    [
      'a value that is none',
      withLast({ data: [1, null] }),
      { code: 'WRONG_TYPE', argument: 'state.parameters[6].value.data[1]' },
    ],
    [
      'a value that is not finite',
      withLast({ data: [1, 'NaN'] }),
      { code: 'NOT_FINITE', argument: 'state.parameters[6].value', row: 0, column: 1 },
    ],
    [
      'a memory of another name',
      withMemory({ name: 'memory' }),
      { code: 'OUT_OF_RANGE', argument: 'state.memories[0].name' },
    ],
    [
      'another key of a memory',
      withMemory({ samples: 12 }),
      { code: 'UNKNOWN_OPTION', argument: 'state.memories[0]' },
    ],
    [
      'vectors of another shape',
      withVectors({ rows: 3, columns: 12 }),
      { code: 'SHAPE_MISMATCH', argument: 'state.memories[0].teacher' },
    ],
    [
      'a vector that is not finite',
      withVectors({ data: data('Infinity') }),
      { code: 'NOT_FINITE', argument: 'state.memories[0].teacher', row: 11, column: 2 },
    ],
    [
      'other negatives',
      withMemory({ negatives: 6 }),
      { code: 'OUT_OF_RANGE', argument: 'state.memories[0].negatives' },
    ],
    [
      'another momentum',
      withMemory({ momentum: 0.75 }),
      { code: 'OUT_OF_RANGE', argument: 'state.memories[0].momentum' },
    ],
    [
      'half a generator',
      withMemory({ generator: 0.5 }),
      { code: 'OUT_OF_RANGE', argument: 'state.memories[0].generator' },
    ],
    [
      'no Z',
      withMemory({ logNormalizers: null }),
      { code: 'WRONG_TYPE', argument: 'state.memories[0].logNormalizers' },
    ],
    [
      'half a Z',
      withMemory({ logNormalizers: { student: 1 } }),
      { code: 'WRONG_TYPE', argument: 'state.memories[0].logNormalizers.teacher' },
    ],
    [
      'another key of Z',
      withMemory({ logNormalizers: { student: 1, teacher: 1, Z: 1 } }),
      { code: 'UNKNOWN_OPTION', argument: 'state.memories[0].logNormalizers' },
    ],
  ])('%s, and does not change the strategy', (_, broken, expected) => {
    const { hybrid: untouched } = createTraining(float32, 2);
    const before = saveState(untouched);
    expect(refusal(() => loadState(untouched, broken))).toMatchObject({
      operation: 'loadState',
      ...expected,
    });
    expect(saveState(untouched)).toEqual(before);
    loadState(untouched, state);
    expect(saveState(untouched)).not.toEqual(before);
  });

  test('another order of entries, with a message that shows both orders', () => {
    const call = () => loadState(hybrid, { ...state, parameters: [...others, parameter] });
    expect(call).toThrow(
      `loadState: state.parameters[0].name must be 'HybridDistillationStrategy → contrast → student weight', got 'HybridDistillationStrategy → contrast`,
    );
    const few = () =>
      loadState(new VariationalDistillationStrategy({ channels: 1 }), {
        parameters: [],
        memories: [],
      });
    expect(few).toThrow('state.parameters has shape [0], expected [1] (the strategy has scale)');
  });

  test('a renamed entry, with a hint that leads to the names of the state', () => {
    const create = (name: string) =>
      new HybridDistillationStrategy([
        { strategy: new VariationalDistillationStrategy({ channels: 1 }), weight: 1, name },
      ]);
    const saved = saveState(create('features'));
    const call = () => loadState(create('hidden'), saved);
    expect(refusal(call).message).toBe(
      "loadState: state.parameters[0].name must be 'hidden → scale', got 'features → scale'; " +
        'names are part of the state: make the strategy with the same names and order',
    );
    expect(() => loadState(create('features'), saved)).not.toThrow();
  });

  test('text, which must be parsed first', () => {
    const text = JSON.stringify(state);
    const { message, code } = refusal(() => loadState(hybrid, text));
    expect(code).toBe('WRONG_TYPE');
    expect(message).toMatch(
      /^loadState: state must be an object, got ".+; use JSON\.parse\(state\)$/,
    );
    expect(() => loadState(hybrid, JSON.parse(text))).not.toThrow();
  });

  test.each([undefined, {}, Matrix])('an invalid strategy: %o', (strategy) => {
    const expected = { code: 'WRONG_TYPE', argument: 'strategy' };
    expect(refusal(() => loadState(wrong<Scaled>(strategy), state))).toMatchObject(expected);
    expect(refusal(() => saveState(wrong<Scaled>(strategy)))).toMatchObject(expected);
  });
});
