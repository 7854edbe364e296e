import { describe, expect, test } from 'vitest';
import {
  causalRows,
  compareOutputs,
  computeThroughHead,
  ensembleTeachers,
  FeatureDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  type LayerwiseResult,
  LinearProjection,
  Matrix,
  MatrixArena,
  RelationalDistillationStrategy,
  ResponseDistillationStrategy,
  SparseTargets,
  UNLABELED,
  virtualTeacher,
} from '../src/index.js';
import { refusal, wrong } from './support/refusal.js';

// Each hint is followed literally on the value that raised it, and leads to a working call with the
// right result.

const rows = {
  student: [
    [1, 2, 3],
    [4, 5, 7],
  ],
  teacher: [
    [2, 1, 3],
    [4, 8, 7],
  ],
};
const student = Matrix.fromRows(rows.student);
const teacher = Matrix.fromRows(rows.teacher);
const response = new ResponseDistillationStrategy();
const feature = new FeatureDistillationStrategy();
/** A reply for the student's row 1. */
const reply = {
  targets: SparseTargets.topK(teacher.rowRange(1, 2), 3, { temperature: 3 }),
  tokens: Int32Array.of(1),
};
const LABELLED = response.computeLoss(student, teacher, Int32Array.of(0, 1));
const UNLABELLED = response.computeLoss(student, teacher);

/** A wrong call, its message after "operation: ", and the call that follows the hint. */
interface Case {
  readonly call: () => unknown;
  readonly says: string;
  readonly follow: () => unknown;
  readonly gives: unknown;
}

function follows(cases: Readonly<Record<string, Case>>): void {
  test.each(Object.entries(cases))('%s', (_, { call, says, follow, gives }) => {
    const { message, operation, hint } = refusal(call);
    expect(message).toBe(`${operation}: ${says}`);
    if (hint !== undefined) expect(says.endsWith(`; ${hint}`)).toBe(true);
    expect(follow()).toEqual(gives);
  });
}

/** The head whose logits are its hidden states. */
const IDENTITY = Matrix.oneHot([0, 1, 2], 3);

describe('labels', () => {
  /** The loss with these labels. */
  const lossOf = (labels: unknown) => response.computeLoss(student, teacher, wrong(labels));
  const says = (received: string, hint: string) =>
    `labels must be a Matrix or an Int32Array, got ${received}; ${hint}`;
  const of = (
    labels: unknown,
    received: string,
    hint: string,
    follow: () => unknown,
    gives = LABELLED,
  ): Case => ({
    call: () => lossOf(labels),
    says: says(received, hint),
    follow: () => lossOf(follow()),
    gives,
  });
  const oneHot = [
    [1, 0, 0],
    [0, 1, 0],
  ];
  const flat = Float32Array.from(oneHot.flat());
  const doubles = Float64Array.from(flat);
  const names = ['cat', 'dog'];
  const digits = ['0', '1'];
  const bigints = BigInt64Array.of(0n, 1n);
  const bytes = Uint8Array.of(0, 1);
  const floats = Float32Array.of(0, 1);
  const tensor = { data: bigints, dims: [2], type: 'int64' };

  follows({
    'one-hot arrays': of(oneHot, 'an array', 'use Matrix.fromRows(labels)', () =>
      Matrix.fromRows(oneHot),
    ),
    'an array of indices': of([0, 1], 'an array', 'use Int32Array.from(labels)', () =>
      Int32Array.from([0, 1]),
    ),
    names: of(names, 'an array', 'map each label to the index of its column, from 0', () =>
      Int32Array.from(names, (label) => ['cat', 'dog', 'fish'].indexOf(label)),
    ),
    'numbers as strings': of(digits, 'an array', 'use Int32Array.from(labels, Number)', () =>
      Int32Array.from(digits, Number),
    ),
    'numbers as strings, without one': of(
      ['0', null],
      'an array',
      'use UNLABELED for null: Int32Array.from(labels, (label) => Number(label ?? UNLABELED))',
      () => Int32Array.from(['0', null], (label) => Number(label ?? UNLABELED)),
      response.computeLoss(student, teacher, Int32Array.of(0, UNLABELED)),
    ),
    'indices, without one': of(
      [null, 1],
      'an array',
      'use UNLABELED for null: Int32Array.from(labels, (label) => Number(label ?? UNLABELED))',
      () => Int32Array.from([null, 1], (label) => Number(label ?? UNLABELED)),
      response.computeLoss(student, teacher, Int32Array.of(UNLABELED, 1)),
    ),
    'the integers of a tokenizer': of(
      bigints,
      'an object of type BigInt64Array',
      'use Int32Array.from(labels, Number)',
      () => Int32Array.from(bigints as unknown as ArrayLike<number>, Number),
    ),
    bytes: of(bytes, 'an object of type Uint8Array', 'use Int32Array.from(labels)', () =>
      Int32Array.from(bytes),
    ),
    'indices in floats': of(
      floats,
      'an object of type Float32Array',
      'use Int32Array.from(labels)',
      () => Int32Array.from(floats),
    ),
    'a flat one-hot array': of(
      flat,
      'an object of type Float32Array',
      'use new Matrix(labels, 2, 3)',
      () => new Matrix(flat, 2, 3),
    ),
    'a flat one-hot array of doubles': of(
      doubles,
      'an object of type Float64Array',
      'use new Matrix(Float32Array.from(labels), 2, 3)',
      () => new Matrix(Float32Array.from(doubles), 2, 3),
    ),
    'a tensor of an inference runtime': of(
      tensor,
      'an object',
      'use Int32Array.from(labels.data, Number)',
      () => Int32Array.from(tensor.data as unknown as ArrayLike<number>, Number),
    ),
    "the teacher's place": {
      call: () => Reflect.apply(response.computeLoss, response, [student, Int32Array.of(0, 1)]),
      says: 'teacher must be a Matrix or SparseTargets, got an object of type Int32Array; labels are the third argument',
      follow: () => response.computeLoss(student, teacher, Int32Array.of(0, 1)),
      gives: LABELLED,
    },
    null: {
      ...of(null, 'null', 'pass undefined where there are no labels', () => undefined),
      gives: UNLABELLED,
    },
    'options in their place': {
      call: () => lossOf({ mask: [0, 1] }),
      says: says('an object', 'options come after the labels: pass undefined for labels'),
      follow: () => response.computeLoss(student, teacher, undefined, { mask: [0, 1] }),
      gives: response.computeLoss(student.rowRange(1, 2), teacher.rowRange(1, 2)),
    },
    'options in their place, through a head': {
      call: () =>
        computeThroughHead(
          response,
          { hidden: student, weight: IDENTITY },
          teacher,
          wrong({ chunkRows: 1 }),
        ),
      says: says('an object', 'options come after the labels: pass undefined for labels'),
      follow: () =>
        computeThroughHead(response, { hidden: student, weight: IDENTITY }, teacher, undefined, {
          chunkRows: 1,
        }).loss,
      gives: expect.closeTo(UNLABELLED, 6),
    },
  });

  test('have the dtype of the student', () => {
    const [s, t] = [student.as(float64), teacher.as(float64)];
    const call = () => response.computeLoss(wrong(s), wrong(t), wrong(oneHot));
    expect(refusal(call).hint).toBe('use Matrix.fromRows(labels, float64)');
    const labels = Matrix.fromRows(oneHot, float64);
    const loss = response.computeLoss(wrong(s), wrong(t), wrong(labels));
    expect(loss).toBeCloseTo(LABELLED, 6);
  });

  test('of a virtual teacher become an Int32Array only where all are integers', () => {
    const call = (labels: unknown) => () => virtualTeacher(wrong(labels), 3);
    expect(refusal(call(['0', '2'])).hint).toBe('use Int32Array.from(labels, Number)');
    const teacher = virtualTeacher(Int32Array.from(['0', '2'], Number), 3);
    expect(teacher.toRows().map((row) => row.indexOf(Math.max(...row)))).toEqual([0, 2]);
    for (const labels of [['cat'], [[1, 0, 0]], null, undefined, [0.5]]) {
      expect(refusal(call(labels)).hint).toBeUndefined();
    }
  });

  test.each([
    3,
    true,
    'cat',
    () => 0,
    [],
    [0.5, 1.5],
    [0, 1, 2],
    ['0', '1', '0', '1', '0', '1'],
    [0.5, null],
    new Date(0),
    new Map(),
    Symbol.iterator,
  ])('have no hint where no conversion is certain to work: %o', (labels) => {
    expect(refusal(() => lossOf(labels)).hint).toBeUndefined();
  });
});

describe('a matrix', () => {
  const lossOf = (given: unknown) => response.computeLoss(wrong(given), teacher);
  const of = (value: unknown, received: string, hint: string, follow: () => unknown): Case => ({
    call: () => lossOf(value),
    says: `student must be a Matrix, got ${received}; ${hint}`,
    follow: () => lossOf(follow()),
    gives: UNLABELLED,
  });
  const flat = rows.student.flat();
  const floats = Float32Array.from(flat);
  const integers = Int32Array.from(flat);
  const bigints = BigInt64Array.from(flat.map(BigInt));
  class Tensor {
    readonly dims = [2, 3];
    readonly data = floats;
  }
  const tensor = new Tensor();
  const integerTensor = { data: integers, shape: [2, 3] };

  follows({
    rows: of(rows.student, 'an array', 'use Matrix.fromRows(student)', () =>
      Matrix.fromRows(rows.student),
    ),
    'one row': {
      call: () => response.computeLoss(wrong(rows.student[0]), teacher.rowRange(0, 1)),
      says: 'student must be a Matrix, got an array; use Matrix.fromRows([student])',
      follow: () =>
        response.computeLoss(Matrix.fromRows([rows.student[0]!]), teacher.rowRange(0, 1)),
      gives: response.computeLoss(student.rowRange(0, 1), teacher.rowRange(0, 1)),
    },
    floats: of(
      floats,
      'an object of type Float32Array',
      'use new Matrix(student, rows, columns)',
      () => new Matrix(floats, 2, 3),
    ),
    integers: of(
      integers,
      'an object of type Int32Array',
      'use new Matrix(Float32Array.from(student), rows, columns)',
      () => new Matrix(Float32Array.from(integers), 2, 3),
    ),
    bigints: of(
      bigints,
      'an object of type BigInt64Array',
      'use new Matrix(Float32Array.from(student, Number), rows, columns)',
      () => new Matrix(Float32Array.from(bigints as unknown as ArrayLike<number>, Number), 2, 3),
    ),
    'a tensor of an inference runtime': of(
      tensor,
      'an object of type Tensor',
      'use Matrix.fromTensor(student)',
      () => Matrix.fromTensor(tensor),
    ),
    'a teacher as rows, beside a student in float64': {
      call: () => feature.computeLoss(wrong(student.as(float64)), wrong(rows.teacher)),
      says: 'teacher must be a Matrix, got an array; use Matrix.fromRows(teacher, float64)',
      follow: () =>
        feature.computeLoss(
          wrong(student.as(float64)),
          wrong(Matrix.fromRows(rows.teacher, float64)),
        ),
      gives: feature.computeLoss(student, teacher),
    },
    'a sparse teacher, where every column is needed': {
      call: () => compareOutputs(student, wrong(SparseTargets.topK(teacher, 2))),
      says: "teacher must be a Matrix, got an object of type SparseTargets; pass the teacher's logits of all classes, or call computeLoss of a strategy with the option `tail`",
      follow: () => [
        compareOutputs(student, teacher).agreement,
        response
          .computeLoss(student, SparseTargets.topK(teacher, 3, { temperature: 3 }))
          .toFixed(5),
      ],
      gives: [0.5, UNLABELLED.toFixed(5)],
    },
    'the targets and tokens of a reply, with all rows of the student': {
      call: () => response.computeLoss(student, reply.targets, reply.tokens),
      says: "labels has shape [1], expected [2] (one for each row); take the student's rows of the reply: student.gatherRows(studentRows)",
      follow: () =>
        response.computeLoss(student.gatherRows([1]), reply.targets, reply.tokens).toFixed(5),
      gives: response
        .computeLoss(student.rowRange(1, 2), teacher.rowRange(1, 2), reply.tokens)
        .toFixed(5),
    },
    'targets at another temperature': {
      call: () => response.computeLoss(student, SparseTargets.topK(teacher, 2)),
      says: "teacher must hold log-probabilities at temperature 3, the strategy's, got temperature 1; take SparseTargets.topK(logits, k, { temperature: 3 }), or tail: 'renormalize'",
      follow: () => {
        const kept = new ResponseDistillationStrategy({ tail: 'renormalize' });
        return [
          response.computeLoss(student, SparseTargets.topK(teacher, 3, { temperature: 3 })),
          kept.computeLoss(student, SparseTargets.topK(teacher, 3)),
        ].map((loss) => loss > 0);
      },
      gives: [true, true],
    },
    'numbers for its data': {
      call: () => new Matrix(wrong<Float32Array>([1, 2]), 1, 2),
      says: 'data must be a Float32Array or a Float64Array, got an array; use Float32Array.from(data)',
      follow: () => new Matrix(Float32Array.from([1, 2]), 1, 2).toRows(),
      gives: [[1, 2]],
    },
    'rows for its data': {
      call: () => new Matrix(wrong<Float32Array>(rows.student), 2, 3),
      says: 'data must be a Float32Array or a Float64Array, got an array; use Matrix.fromRows(data)',
      follow: () => Matrix.fromRows(rows.student).toRows(),
      gives: rows.student,
    },
    'its shape alone': {
      call: () => new Matrix(wrong<Float32Array>(2), 3, wrong(undefined)),
      says: 'data must be a Float32Array or a Float64Array, got 2; for a matrix of zeros, use Matrix.zeros(rows, columns)',
      follow: () => Matrix.zeros(2, 3).toRows(),
      gives: [
        [0, 0, 0],
        [0, 0, 0],
      ],
    },
    'numbers for rows': {
      call: () => Matrix.fromRows(wrong([1, 2, 3])),
      says: 'rows[0] must be an array of numbers, got 1; for a single row, use Matrix.fromRows([rows])',
      follow: () => Matrix.fromRows([[1, 2, 3]]).toRows(),
      gives: [[1, 2, 3]],
    },
    'floats for rows': {
      call: () => Matrix.fromRows(wrong(floats)),
      says: 'rows must be an array of rows, got an object of type Float32Array; for a single row, use Matrix.fromRows([rows])',
      follow: () => Matrix.fromRows([floats]).columns,
      gives: 6,
    },
    'a value beyond float32': {
      call: () => Matrix.fromRows([[1e60]]),
      says: `row 0, column 0 must be at most 3.4028234663852886e+38, the largest float32, got 1e+60; use float64`,
      follow: () => Matrix.fromRows([[1e60]], float64).get(0, 0),
      gives: 1e60,
    },
    'a tensor of integers': {
      call: () => Matrix.fromTensor(wrong(integerTensor)),
      says: 'tensor.data must be a Float32Array or a Float64Array, got an object of type Int32Array; convert it first: Matrix.fromTensor({ data: Float32Array.from(tensor.data), shape: tensor.shape })',
      follow: () =>
        Matrix.fromTensor({
          data: Float32Array.from(integerTensor.data),
          shape: integerTensor.shape,
        }).toRows(),
      gives: rows.student,
    },
    'a tensor of rank 1': {
      call: () => Matrix.fromTensor({ data: floats, dims: [6] }),
      says: 'tensor has shape [6], expected [1, 6] (rank 2 or more); for a single row, use new Matrix(tensor.data, 1, 6)',
      follow: () => new Matrix(floats, 1, 6).columns,
      gives: 6,
    },
    'rows for a tensor': {
      call: () => Matrix.fromTensor(wrong(rows.student)),
      says: 'tensor must have dims or shape, an array of dimensions, got undefined; use Matrix.fromRows(tensor)',
      follow: () => Matrix.fromRows(rows.student).toRows(),
      gives: rows.student,
    },
  });

  test('in a tensor of TensorFlow.js is read first', async () => {
    const read = { data: async () => floats, dataSync: () => floats, shape: [2, 3] };
    const call = () => Matrix.fromTensor(wrong(read));
    expect(refusal(call).hint).toBe(
      'read it first: Matrix.fromTensor({ data: await tensor.data(), shape: tensor.shape })',
    );
    const matrix = Matrix.fromTensor({ data: await read.data(), shape: read.shape });
    expect(matrix.toRows()).toEqual(rows.student);
    expect(refusal(() => lossOf(read)).hint).toContain('use knowledge-distillation/tfjs');
  });

  test.each([null, undefined, 3, {}, [], ['a'], [[[1]]], new Date(0), new DataView(floats.buffer)])(
    'has no hint where no conversion is certain to work: %o',
    (value) => {
      expect(refusal(() => lossOf(value)).hint).toBeUndefined();
    },
  );

  test('is not made of bits of half precision', () => {
    expect(refusal(() => lossOf(Uint16Array.of(1, 2))).hint).toBeUndefined();
  });
});

describe('the expected shape in a message is accepted by the call', () => {
  const transposed = Matrix.zeros(3, 2);
  const turned = Matrix.fromRows([
    [1, 4],
    [2, 5],
    [3, 7],
  ]); // the student, transposed
  const narrow = new FeatureDistillationStrategy({ projection: new LinearProjection(8, 4) });
  const [hidden, wide] = [Matrix.zeros(2, 4), Matrix.zeros(2, 8)];

  follows({
    'a transposed teacher': {
      call: () => response.computeLoss(student, transposed),
      says: "teacher has shape [3, 2], expected [2, 3] (the student's shape); is it transposed?",
      follow: () => response.computeLoss(student, Matrix.zeros(2, 3)),
      gives: expect.any(Number),
    },
    'a transposed teacher of features': {
      call: () => feature.computeLoss(student, transposed),
      says: "teacher has shape [3, 2], expected [2, 3] (the student's shape); is it transposed?",
      follow: () => feature.computeLoss(student, Matrix.zeros(2, 3)),
      gives: expect.any(Number),
    },
    'a transposed student': {
      call: () => response.computeLoss(turned, teacher),
      says: "teacher has shape [2, 3], expected [3, 2] (the student's shape); is it transposed?",
      follow: () =>
        response.computeLoss(
          Matrix.fromRows([0, 1].map((i) => turned.toRows().map((row) => row[i]!))),
          teacher,
        ),
      gives: UNLABELLED,
    },
    'a transposed teacher of any width': {
      call: () => new RelationalDistillationStrategy().computeLoss(student, transposed),
      says: "teacher has shape [3, 2], expected [2, 2] (the student's rows)",
      follow: () => new RelationalDistillationStrategy().computeLoss(student, Matrix.zeros(2, 2)),
      gives: expect.any(Number),
    },
    'a transposed teacher of a hybrid': {
      call: () =>
        new HybridDistillationStrategy([{ strategy: response, weight: 1 }]).computeLoss(
          student,
          transposed,
        ),
      says: "teacher has shape [3, 2], expected [2, 3] (the student's shape); is it transposed?",
      follow: () =>
        new HybridDistillationStrategy([{ strategy: response, weight: 1 }]).computeLoss(
          student,
          Matrix.zeros(2, 3),
        ),
      gives: expect.any(Number),
    },
    'features of other widths': {
      call: () => feature.computeLoss(hidden, wide),
      says: "teacher has shape [2, 8], expected [2, 4] (the student's shape); or pass projection: new LinearProjection(4, 8)",
      follow: () =>
        new FeatureDistillationStrategy({ projection: new LinearProjection(4, 8) }).computeLoss(
          hidden,
          wide,
        ),
      gives: 0,
    },
    'a projection the wrong way round': {
      call: () => narrow.computeLoss(hidden, wide),
      says: "student has shape [2, 4], expected [2, 8] (the projection's input); use new LinearProjection(4, 8)",
      follow: () =>
        new FeatureDistillationStrategy({ projection: new LinearProjection(4, 8) }).computeLoss(
          hidden,
          wide,
        ),
      gives: 0,
    },
    'a teacher in another number format': {
      call: () => response.computeLoss(student, wrong(teacher.as(float64))),
      says: 'teacher must be float32, got float64; use teacher.as(float32)',
      follow: () => response.computeLoss(student, wrong(teacher.as(float64).as(teacher.numeric))),
      gives: UNLABELLED,
    },
  });
});

describe('a hybrid', () => {
  const create = (...given: unknown[]) =>
    Reflect.construct(HybridDistillationStrategy, given) as HybridDistillationStrategy;
  const HALVES = [
    { strategy: response, weight: 0.5 },
    { strategy: feature, weight: 0.5 },
  ];
  const ENTRIES = 'write [{ strategy: first, weight: 0.5 }, { strategy: second, weight: 0.5 }]';
  const gives = (UNLABELLED + feature.computeLoss(student, teacher)) / 2;
  const entries = (call: () => unknown, says: string): Case => ({
    call,
    says: `${says}; ${ENTRIES}`,
    follow: () => create(HALVES).computeLoss(student, teacher),
    gives,
  });
  const layers = {
    student: { output: student, hidden: student },
    teacher: { output: teacher, hidden: teacher },
  };
  const bound = create([HALVES[0], { ...HALVES[1], layer: 'hidden' }]);
  const layerwise = (...given: unknown[]): LayerwiseResult =>
    Reflect.apply(bound.computeLayerwise, bound, given);
  const whole = () => layerwise(layers.student, layers.teacher).loss;
  const ones = [
    { strategy: response, weight: 1 },
    { strategy: feature, weight: 1 },
  ];

  follows({
    'strategies without weights': entries(
      () => create([response, feature]),
      'strategies[0] must be { strategy, weight }, got an object of type ResponseDistillationStrategy',
    ),
    'strategies as arguments': entries(
      () => create(response, feature),
      'strategies must be an array of { strategy, weight }, got an object of type ResponseDistillationStrategy',
    ),
    'pairs in arrays': entries(
      () => create([[response, 0.5]]),
      'strategies[0] must be { strategy, weight }, got an array',
    ),
    'a class for a strategy': {
      call: () => create([{ strategy: ResponseDistillationStrategy, weight: 1 }]),
      says: 'strategies[0].strategy must have computeLoss and computeGradient, got a function; pass an instance, made with new',
      follow: () =>
        create([{ strategy: new ResponseDistillationStrategy(), weight: 1 }]).computeLoss(
          student,
          teacher,
        ),
      gives: UNLABELLED,
    },
    'weights of 1 and 1': {
      call: () => create(ones),
      says: "weights must sum to 1 (±1e-6), got 2 (1 + 1); or choose weights: 'normalize' or 'free'",
      follow: () => [
        create(ones, { weights: 'normalize' }).computeLoss(student, teacher),
        create(ones, { weights: 'free' }).computeLoss(student, teacher),
      ],
      gives: [gives, 2 * gives],
    },
    'a weight of 2': {
      call: () => create([{ strategy: response, weight: 2 }]),
      says: "strategies[0].weight must be in [0, 1], got 2; or choose weights: 'normalize' or 'free'",
      follow: () => [
        create([{ strategy: response, weight: 2 }], { weights: 'normalize' }).computeLoss(
          student,
          teacher,
        ),
        create([{ strategy: response, weight: 2 }], { weights: 'free' }).computeLoss(
          student,
          teacher,
        ),
      ],
      gives: [UNLABELLED, 2 * UNLABELLED],
    },
    'matrices by layer in computeLoss': {
      call: () => bound.computeLoss(wrong(layers.student), wrong(layers.teacher)),
      says: 'student must be a Matrix, got an object; for matrices by layer, call computeLayerwise of a hybrid',
      follow: whole,
      gives,
    },
    'one matrix where an entry is bound': {
      call: () => bound.computeLoss(student, teacher),
      says: "entry 'FeatureDistillationStrategy' is bound to a layer; call computeLayerwise",
      follow: whole,
      gives,
    },
    'matrices in computeLayerwise': {
      call: () => layerwise(student, teacher),
      says: 'studentLayers must be an object of matrices by layer name, got an object of type Matrix; write { output: studentLayers }',
      follow: () => create(HALVES).computeLayerwise({ output: student }, { output: teacher }).loss,
      gives,
    },
    'a misspelt layer': {
      call: () => layerwise({ output: student, hiddn: student }, layers.teacher),
      says: "studentLayers must have a layer 'hidden', got output, hiddn; rename 'hiddn' to 'hidden', or give the entry layer: { student: 'hiddn', … }",
      follow: () => [
        whole(),
        create([
          HALVES[0],
          { ...HALVES[1], layer: { student: 'hiddn', teacher: 'hidden' } },
        ]).computeLayerwise({ output: student, hiddn: student }, layers.teacher).loss,
      ],
      gives: [gives, gives],
    },
    'a layer that no entry reads': {
      call: () => layerwise({ ...layers.student, attention: student }, layers.teacher),
      says: "no entry reads the student's layer 'attention'; layers that are read: output, hidden; leave 'attention' out, or bind an entry to it: layer: 'attention'",
      follow: whole,
      gives,
    },
    'rows as a layer': {
      call: () => layerwise({ ...layers.student, hidden: rows.student }, layers.teacher),
      says: 'studentLayers.hidden must be a Matrix, got an array; use Matrix.fromRows(studentLayers.hidden)',
      follow: () =>
        layerwise({ ...layers.student, hidden: Matrix.fromRows(rows.student) }, layers.teacher)
          .loss,
      gives,
    },
    'temperatures of a layer whose loss has none': {
      call: () =>
        layerwise(layers.student, layers.teacher, undefined, {
          temperatures: { output: [3, 3], hidden: [1, 1] },
        }),
      says: 'unknown key of temperatures "hidden"; known keys: output',
      follow: () =>
        layerwise(layers.student, layers.teacher, undefined, { temperatures: { output: [3, 3] } })
          .loss,
      gives,
    },
    ...Object.fromEntries(
      ['mask', 'rowWeights'].map((option) => [
        `${option} of a misspelt layer`,
        {
          call: () =>
            layerwise(layers.student, layers.teacher, undefined, { [option]: { hiddn: [1, 1] } }),
          says: `unknown key of ${option} "hiddn"; did you mean "hidden"? Known keys: output, hidden`,
          follow: () =>
            layerwise(layers.student, layers.teacher, undefined, { [option]: { hidden: [1, 1] } })
              .loss,
          gives,
        },
      ]),
    ),
  });

  test('a teacher may have layers that no entry reads', () => {
    const more = { ...layers.teacher, attention: teacher };
    expect(layerwise(layers.student, more).loss).toBe(gives);
  });
});

describe('options', () => {
  const tokens = [
    [5, 6, 7],
    [8, 9, 4],
  ];
  const gives = [6, 7, -100, 9, 4, -100];
  const labelsOf = (labels: unknown) =>
    Array.from(causalRows({ batch: 2, length: 3, labels: wrong(labels) }).labels);

  follows({
    'a misspelt one': {
      call: () => new ResponseDistillationStrategy(wrong({ temprature: 2 })),
      says: 'unknown option "temprature"; did you mean "temperature"? Known options: temperature, alpha, temperatureSquared, standardizeLogits, teacherTemperature, tail',
      follow: () => new ResponseDistillationStrategy({ temperature: 2 }).temperature,
      gives: 2,
    },
    'a number as a string': {
      call: () => new ResponseDistillationStrategy(wrong({ temperature: '4' })),
      says: 'temperature must be a finite number > 0, got "4"; use Number(temperature)',
      follow: () => new ResponseDistillationStrategy({ temperature: Number('4') }).temperature,
      gives: 4,
    },
    'one of another metric': {
      call: () => new FeatureDistillationStrategy({ metric: 'mse', delta: 2 }),
      says: "delta applies to metric 'huber' only, not to 'mse'",
      follow: () => new FeatureDistillationStrategy({ metric: 'huber', delta: 2 }).delta,
      gives: 2,
    },
    'nested tokens': {
      call: () => labelsOf(tokens),
      says: 'labels[0] must be a number, got an array; join its rows: labels.flatMap((row) => Array.from(row))',
      follow: () => labelsOf(tokens.flatMap((row) => Array.from(row))),
      gives,
    },
    'a tensor of tokens': {
      call: () => labelsOf({ data: tokens.flat(), dims: [2, 3] }),
      says: 'labels must be an array, got an object; use labels.data',
      follow: () => labelsOf(tokens.flat()),
      gives,
    },
    'none where some are needed': {
      call: () => causalRows(wrong(undefined)),
      says: 'options must be an object with batch, length and labels, got undefined',
      follow: () => labelsOf(tokens.flat()),
      gives,
    },
    'weights of teachers that sum to 2': {
      call: () => ensembleTeachers([teacher, student], { space: 'logits', weights: [1, 1] }),
      says: 'weights must sum to 1 (±1e-6), got 2 (1 + 1); divide each by 2',
      follow: () =>
        ensembleTeachers([teacher, student], { space: 'logits', weights: [0.5, 0.5] }).get(0, 0),
      gives: 1.5,
    },
    'a temperature for logits': {
      call: () => ensembleTeachers([teacher], { space: 'logits', temperature: 2 }),
      says: "temperature applies to space 'probabilities' only, not to 'logits'",
      follow: () => ensembleTeachers([teacher], { space: 'probabilities', temperature: 2 }).rows,
      gives: 2,
    },
  });

  test.each(['', 'four', '0', '-1'])('%j is no number for a temperature', (temperature) => {
    const { hint } = refusal(() => new ResponseDistillationStrategy(wrong({ temperature })));
    expect(hint).toBeUndefined();
  });

  test.each([
    ['temprature', 'temperature'],
    ['temperatures', 'temperature'],
    ['tempereture', 'temperature'],
    ['aplha', 'alpha'],
    ['Alpha', 'alpha'],
  ])('%s is recognised as a misspelt %s', (key, name) => {
    const call = () => new ResponseDistillationStrategy(wrong<object>({ [key]: 1 }));
    expect(refusal(call).message).toContain(
      `unknown option "${key}"; did you mean "${name}"? Known`,
    );
    expect(() => new ResponseDistillationStrategy({ [name]: 1 })).not.toThrow();
  });

  test('an option unlike any other is answered with the list of options', () => {
    const call = () => new ResponseDistillationStrategy(wrong<object>({ label: 1 }));
    expect(refusal(call).message).toMatch(/: unknown option "label"; known options: temperature, /);
  });
});

describe('hints that must not harm', () => {
  const hintFor = (labels: unknown) =>
    refusal(() => response.computeLoss(student, teacher, wrong(labels))).hint;

  test('class indices that an Int32Array cannot hold get no hint', () => {
    expect(hintFor(BigUint64Array.of(2n ** 64n - 100n, 1n))).toBeUndefined();
    expect(hintFor(BigInt64Array.of(2n ** 32n, 1n))).toBeUndefined();
  });

  test('a list that mixes numbers and bigints is converted by Number', () => {
    expect(hintFor([0, 1n])).toBe('use Int32Array.from(labels, Number)');
  });

  test('a flat one-hot Int32Array becomes a matrix', () => {
    const oneHot = Int32Array.of(1, 0, 0, 0, 1, 0);
    expect(hintFor(oneHot)).toBe('use new Matrix(Float32Array.from(labels), 2, 3)');
    const labels = new Matrix(Float32Array.from(oneHot), 2, 3);
    expect(response.computeLoss(student, teacher, labels)).toBe(LABELLED);
  });

  test('a value that throws when it is looked at leaves the error of the call', () => {
    const tensor = {
      get data(): never {
        throw new Error('on another device');
      },
      dims: [2, 3],
    };
    for (const call of [
      () => response.computeLoss(wrong(tensor), teacher),
      () => response.computeLoss(student, teacher, wrong(tensor)),
    ]) {
      expect(refusal(call).code).toBe('WRONG_TYPE');
    }
  });

  test('an output buffer of another format is not answered by a copy', () => {
    const gradient = wrong<Matrix>(Matrix.zeros(2, 3, float64));
    const call = () => response.computeGradient(student, teacher, undefined, { gradient });
    expect(refusal(call).hint).toBe('pass a float32 matrix');
  });
});

test('threads that cannot start are refused with their requirements', async () => {
  const createWorker = () => {
    throw new Error('workers are forbidden here');
  };
  const start = MatrixArena.withThreads(1 << 16, 4, { createWorker });
  await expect(start).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      /^MatrixArena\.withThreads: could not start 4 threads \(Error: .+\); threads need SIMD, shared memory/,
    ),
  });
  const alone = await MatrixArena.withThreads(1 << 16, 1);
  expect(alone.threads).toBe(1);
  alone.close();
});
