import { onnx } from 'onnx-proto';

const { FLOAT, INT64, FLOAT16, DOUBLE } = onnx.TensorProto.DataType;

/**
 * A language model small enough to be written by hand: the logits after a token are the token's row
 * of a table. From `input_ids` [batch, length] it computes
 *
 * - `logits` [batch, length, vocabulary], and the same as `half` (float16) and `double` (float64)
 * - `last` [batch, vocabulary], the logits of the last position
 * - `best` [batch, length], the most likely token (int64)
 */
export function bigramModel(table: readonly (readonly number[])[]): Uint8Array {
  const vocabulary = table.length;
  const value = (name: string, elemType: number, sizes: (string | number)[]) => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: {
          dim: sizes.map((size) =>
            typeof size === 'string' ? { dimParam: size } : { dimValue: size },
          ),
        },
      },
    },
  });
  const node = (opType: string, input: string[], output: string, integers: object = {}) => ({
    opType,
    input,
    output: [output],
    attribute: Object.entries(integers).map(([name, i]) => ({
      name,
      i,
      type: onnx.AttributeProto.AttributeType.INT,
    })),
  });
  const graph = {
    name: 'bigrams',
    input: [value('input_ids', INT64, ['batch', 'length'])],
    output: [
      value('logits', FLOAT, ['batch', 'length', vocabulary]),
      value('half', FLOAT16, ['batch', 'length', vocabulary]),
      value('double', DOUBLE, ['batch', 'length', vocabulary]),
      value('last', FLOAT, ['batch', vocabulary]),
      value('best', INT64, ['batch', 'length']),
    ],
    initializer: [
      { name: 'table', dataType: FLOAT, dims: [vocabulary, vocabulary], floatData: table.flat() },
      { name: 'end', dataType: INT64, dims: [], int64Data: [-1] },
    ],
    node: [
      node('Gather', ['table', 'input_ids'], 'logits', { axis: 0 }),
      node('Cast', ['logits'], 'half', { to: FLOAT16 }),
      node('Cast', ['logits'], 'double', { to: DOUBLE }),
      node('Gather', ['logits', 'end'], 'last', { axis: 1 }),
      node('ArgMax', ['logits'], 'best', { axis: -1, keepdims: 0 }),
    ],
  };
  return onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ version: 13 }], graph }).finish();
}
