import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { Phase } from '../shared/progress.js';

/**
 * Names of nodes in the graph. The logits are the sum of its wide part and of the output of its
 * hidden layers.
 */
const NODES = {
  pairs: 'map/TensorArrayV2Stack/TensorListStack',
  hidden: 'dnn/hiddenlayer_1/Relu',
  logits: 'add',
  wideLogits: 'linear/linear_model/linear/linear_model/linear/linear_model/weighted_sum',
  classes: 'head/predictions/class_string_lookup/Const',
};
const BATCH = 50;

/** The teacher's outputs for each snippet, one row after the other. */
export interface TeacherOutputs {
  /** Names of its classes, in the order of its logits. */
  readonly classes: readonly string[];
  readonly logits: Float32Array;
  /** Logits without the contribution of its hidden layers. */
  readonly wideLogits: Float32Array;
  /** Output of its last hidden layer. */
  readonly hidden: Float32Array;
}

export async function askTeacher(
  packages: string,
  texts: readonly string[],
): Promise<TeacherOutputs> {
  tf.enableProdMode(); // avoids a message that recommends a faster backend
  const model = await loadModel(join(packages, '@vscode/vscode-languagedetection/model'));
  const classes = await model.weights[NODES.classes]![0]!.data<'string'>();
  const phase = new Phase('teacher: guesslang', texts.length);
  const parts: Float32Array[][] = [[], [], []];
  for (let start = 0; start < texts.length; start += BATCH) {
    const pairs = pairsOf(texts.slice(start, start + BATCH));
    const outputs = (await model.executeAsync({ [NODES.pairs]: pairs }, [
      NODES.logits,
      NODES.wideLogits,
      NODES.hidden,
    ])) as tf.Tensor[];
    for (const [i, output] of outputs.entries()) parts[i]!.push(await output.data<'float32'>());
    tf.dispose([pairs, outputs]);
    phase.update(Math.min(start + BATCH, texts.length));
  }
  phase.finish(`${texts.length} snippets`);
  const [logits, wideLogits, hidden] = parts.map(concatenate);
  return { classes, logits: logits!, wideLogits: wideLogits!, hidden: hidden! };
}

function loadModel(folder: string): Promise<GraphModel> {
  const { modelTopology, weightsManifest } = JSON.parse(
    readFileSync(join(folder, 'model.json'), 'utf8'),
  );
  const [{ paths, weights }] = weightsManifest;
  const weightData = new Uint8Array(readFileSync(join(folder, paths[0]))).buffer;
  return loadGraphModel(tf.io.fromMemory({ modelTopology, weightSpecs: weights, weightData }));
}

/**
 * Returns every pair of neighbouring bytes with a space between them, which is the result of the
 * first loop of the graph. TensorFlow.js 4 fails in that loop; TensorFlow.js 3.21 runs it and
 * computes the same logits. The graph stops at 10,000 pairs, and every snippet has fewer.
 */
function pairsOf(texts: readonly string[]): tf.Tensor2D {
  const space = 0x20;
  const rows = texts.map((text) => {
    const bytes = new TextEncoder().encode(text);
    return Array.from({ length: bytes.length - 1 }, (_, i) =>
      Uint8Array.of(bytes[i]!, space, bytes[i + 1]!),
    );
  });
  const columns = Math.max(...rows.map((row) => row.length));
  const nothing = new Uint8Array();
  const padded = rows.flatMap((row) => [
    ...row,
    ...Array<Uint8Array>(columns - row.length).fill(nothing),
  ]);
  return tf.tensor2d(padded, [texts.length, columns], 'string');
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}
