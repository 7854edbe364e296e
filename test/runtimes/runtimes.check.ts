import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as transformers from '@huggingface/transformers';
import {
  causalRows,
  float32,
  float64,
  Matrix,
  ResponseDistillationStrategy,
} from 'knowledge-distillation';
import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bigramModel } from './model.js';

const table = [
  [0.5, 1, -1, 3],
  [2, 0, 1, -2],
  [-0.25, 4, 0, 1],
  [1, 1, 3, 0],
];
const [batch, length] = [2, 3];
const ids = [
  [1, 2, 3],
  [0, 3, 2],
];
const model = bigramModel(table);
const expected = ids.flat().map((id) => table[id]!);
const feed = BigInt64Array.from(ids.flat(), BigInt);

// onnxruntime-web has the declarations of onnxruntime-node, both from onnxruntime-common.
describe.each([
  ['onnxruntime-node', node],
  ['onnxruntime-web', web as typeof node],
])('%s', (_, { InferenceSession, Tensor }) => {
  let outputs: node.InferenceSession.OnnxValueMapType;
  const input = new Tensor('int64', feed, [batch, length]);
  beforeAll(async () => {
    const session = await InferenceSession.create(model);
    outputs = await session.run({ input_ids: input });
  });

  test('logits of rank 3 and 2 are viewed without a copy', () => {
    const { logits, last } = outputs;
    const matrix = Matrix.fromTensor(logits!, float32);
    expect(matrix.data).toBe(logits!.data);
    expect(matrix.data.buffer).toBe((logits!.data as Float32Array).buffer);
    expect(matrix.toRows()).toEqual(expected);

    const ends = Matrix.fromTensor(last!, float32);
    expect(ends.data).toBe(last!.data);
    expect(ends.toRows()).toEqual([table[3], table[2]]);
  });

  test('float64 is viewed as float64, and copied as float32', () => {
    const { double } = outputs;
    expect(Matrix.fromTensor(double!, float64).data).toBe(double!.data);
    expect(Matrix.fromTensor(double!, float32).toRows()).toEqual(expected);
  });

  test('half precision is decoded', () => {
    const { half } = outputs;
    expect(half!.type).toBe('float16');
    expect(Matrix.fromTensor(half!, float32).toRows()).toEqual(expected);
    expect(() => Matrix.fromTensor(half as never)).toThrow('half precision is decoded into a copy');
  });

  test('tokens are refused as logits', () => {
    expect(() => Matrix.fromTensor(outputs.best!, float32)).toThrow(
      'tensor.data must be a Float32Array or a Float64Array, got an object of type BigInt64Array; convert it first: Matrix.fromTensor({ data: Float32Array.from(tensor.data, Number), dims: tensor.dims })',
    );
  });

  test('a language model is distilled from its tensors', () => {
    const { labels } = causalRows({ batch, length, labels: input.data as BigInt64Array });
    const teacher = Matrix.fromTensor(outputs.logits!, float32);
    const student = Matrix.zeros(batch * length, table.length);
    const strategy = new ResponseDistillationStrategy({ temperature: 2, alpha: 0.5 });
    const { loss, gradient, count } = strategy.computeLossAndGradient(student, teacher, labels);
    expect(count).toBe(batch * (length - 1));
    const byHand = strategy.computeLoss(
      Matrix.zeros(4, 4),
      Matrix.fromRows([1, 2, 0, 3].map((id) => table[id]!)),
      Int32Array.of(2, 3, 3, 2),
    );
    expect(loss).toBeCloseTo(byHand, 12);
    expect([...gradient.row(2), ...gradient.row(5)]).toEqual(new Array(8).fill(0));
  });
});

describe('@huggingface/transformers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bigrams-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('the output of a model is viewed without a copy', async () => {
    mkdirSync(join(folder, 'bigrams/onnx'), { recursive: true });
    const config = { model_type: 'bert', architectures: ['BertModel'], vocab_size: 4 };
    writeFileSync(join(folder, 'bigrams/config.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'bigrams/onnx/model.onnx'), model);
    transformers.env.allowRemoteModels = false;
    transformers.env.localModelPath = folder;
    const bigrams = await transformers.AutoModel.from_pretrained('bigrams', {
      dtype: 'fp32',
    });
    const input = new transformers.Tensor('int64', feed, [batch, length]);
    const { logits, half, best } = await bigrams({ input_ids: input });

    const matrix = Matrix.fromTensor(logits, float32);
    expect(logits).toBeInstanceOf(transformers.Tensor);
    expect(matrix.data).toBe(logits.data);
    expect(matrix.toRows()).toEqual(expected);
    expect(Matrix.fromTensor(half, float32).toRows()).toEqual(expected);
    expect(() => Matrix.fromTensor(best, float32)).toThrow('BigInt64Array');
    const { count } = causalRows({ batch, length, labels: input.data as BigInt64Array });
    expect(count).toBe(4);
  });

  test('a tensor that was made from an array is viewed without a copy', () => {
    const tensor = new transformers.Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2]);
    expect(Matrix.fromTensor(tensor, float32).data).toBe(tensor.data);
  });
});
