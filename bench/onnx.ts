import { createRequire } from 'node:module';
import { type Contestant, prepared } from './compete.js';
import { ALPHA, oneHot, type Problem, TEMPERATURE } from './problem.js';

// This contestant takes part if onnxruntime, which is large, is installed: npm run test:runtimes

/** The used parts of two packages, neither of which is a dependency. */
interface Runtime {
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{
      run(feeds: object): Promise<Record<string, { readonly data: Float32Array }>>;
    }>;
  };
  readonly Tensor: new (type: string, data: Float32Array, dims: number[]) => object;
}
interface Proto {
  readonly onnx: { readonly ModelProto: { encode(model: object): { finish(): Uint8Array } } };
}

const FLOAT = 1;

/**
 * Builds a graph of operators for the loss and its hand-derived gradient, since onnxruntime has no
 * automatic differentiation.
 */
function model({ onnx }: Proto, rows: number, columns: number): Uint8Array {
  const node = (opType: string, input: string[], output: string, attribute: object[] = []) => ({
    opType,
    input,
    output: [output],
    attribute,
  });
  const axis = [{ name: 'axis', type: 2, i: 1 }];
  const all = [{ name: 'keepdims', type: 2, i: 0 }];
  const number = (name: string, value: number) => ({
    name,
    dataType: FLOAT,
    dims: [],
    floatData: [value],
  });
  const value = (name: string, sizes: number[]) => ({
    name,
    type: {
      tensorType: { elemType: FLOAT, shape: { dim: sizes.map((dimValue) => ({ dimValue })) } },
    },
  });
  const graph = {
    name: 'response',
    input: ['student', 'teacher', 'labels'].map((name) => value(name, [rows, columns])),
    output: [value('loss', []), value('gradient', [rows, columns])],
    initializer: [
      number('temperature', TEMPERATURE),
      number('softWeight', ((1 - ALPHA) * TEMPERATURE ** 2) / rows),
      number('softFactor', ((1 - ALPHA) * TEMPERATURE) / rows),
      number('hardFactor', ALPHA / rows),
    ],
    node: [
      node('Div', ['student', 'temperature'], 'x'),
      node('Div', ['teacher', 'temperature'], 'y'),
      node('LogSoftmax', ['x'], 'logQ', axis),
      node('LogSoftmax', ['y'], 'logP', axis),
      node('LogSoftmax', ['student'], 'logHard', axis),
      node('Exp', ['logQ'], 'q'),
      node('Exp', ['logP'], 'p'),
      node('Exp', ['logHard'], 'hard'),
      node('Sub', ['logP', 'logQ'], 'difference'),
      node('Mul', ['p', 'difference'], 'terms'),
      node('ReduceSum', ['terms'], 'divergence', all),
      node('Mul', ['labels', 'logHard'], 'chosen'),
      node('ReduceSum', ['chosen'], 'logLikelihood', all),
      node('Mul', ['divergence', 'softWeight'], 'softLoss'),
      node('Mul', ['logLikelihood', 'hardFactor'], 'hardGain'),
      node('Sub', ['softLoss', 'hardGain'], 'loss'),
      node('Sub', ['q', 'p'], 'softDerivative'),
      node('Sub', ['hard', 'labels'], 'hardDerivative'),
      node('Mul', ['softDerivative', 'softFactor'], 'softGradient'),
      node('Mul', ['hardDerivative', 'hardFactor'], 'hardGradient'),
      node('Add', ['softGradient', 'hardGradient'], 'gradient'),
    ],
  };
  return onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ version: 13 }], graph }).finish();
}

/** Returns onnxruntime on one thread, if it is installed. */
export function startOnnx(): Contestant<Problem> | undefined {
  const load = createRequire(new URL('../test/runtimes/', import.meta.url));
  let [runtime, proto]: unknown[] = [];
  try {
    runtime = load('onnxruntime-node');
    proto = load('onnx-proto');
  } catch {
    return undefined;
  }
  const { InferenceSession, Tensor } = runtime as Runtime;
  return {
    name: 'onnxruntime, 1 thread',
    prepare: async (problem) => {
      const { student, teacher, rows, columns, dtype } = problem;
      if (dtype !== 'float32') return undefined;
      const session = await InferenceSession.create(model(proto as Proto, rows, columns), {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
      });
      const tensor = (data: Float32Array) => new Tensor('float32', data, [rows, columns]);
      const feeds = {
        student: tensor(Float32Array.from(student)),
        teacher: tensor(Float32Array.from(teacher)),
        labels: tensor(oneHot(problem)),
      };
      return prepared(async () => {
        const { loss } = await session.run(feeds);
        return loss?.data[0] ?? Number.NaN;
      });
    },
  };
}
