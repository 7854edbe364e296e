import {
  computeThroughHead,
  IGNORE_INDEX,
  Matrix,
  type ResponseDistillationStrategy,
  type SparseTargets,
} from 'knowledge-distillation';
import type { Random } from './random.js';
import { addScaled, dot } from './vectors.js';

export interface TokenStudentSize {
  /** Number of classes: every token is a class. */
  readonly vocabulary: number;
  /** Number of tokens that the logits of a position depend on. */
  readonly context: number;
  /** Width of a token's embedding. */
  readonly embedding: number;
  /** Number of units of the hidden layer. */
  readonly hidden: number;
}

/** Sequences from a teacher store: the fields of its batches that the student reads. */
export interface TokenBatch {
  /** First row of each sequence, and last the number of rows. */
  readonly offsets: Int32Array;
  /** The token that the student reads, row by row. */
  readonly tokens: Int32Array;
  /** The next token, or IGNORE_INDEX. */
  readonly labels: Int32Array;
  readonly targets: SparseTargets;
}

/** The loss of a batch, and its gradient with respect to each of the student's parameters. */
export interface TokenEvaluation {
  readonly loss: number;
  readonly gradients: readonly Float32Array[];
}

/**
 * A next-token model with hand-written passes: embeddings of the last tokens, one hidden layer of
 * tanh units, and a head whose logits never exist as a whole.
 */
export class TokenStudent {
  readonly size: TokenStudentSize;
  /** Embeddings, weights and biases of the hidden layer, weights and biases of the head. */
  readonly parameters: readonly [Matrix, Matrix, Matrix, Matrix, Matrix];

  constructor(size: TokenStudentSize, random: Random) {
    const { vocabulary, context, embedding, hidden } = size;
    const matrix = (rows: number, columns: number, deviation: number): Matrix => {
      const values = new Float32Array(rows * columns);
      if (deviation > 0)
        for (let i = 0; i < values.length; i++) values[i] = deviation * random.normal();
      return new Matrix(values, rows, columns);
    };
    const inputs = context * embedding;
    this.size = size;
    this.parameters = [
      matrix(vocabulary, embedding, 0.5),
      matrix(inputs, hidden, 1 / Math.sqrt(inputs)),
      matrix(1, hidden, 0),
      matrix(hidden, vocabulary, 0.1 / Math.sqrt(hidden)),
      matrix(1, vocabulary, 0),
    ];
  }

  get parameterCount(): number {
    return this.parameters.reduce((sum, { data }) => sum + data.length, 0);
  }

  /** Returns the logits of every row, [rows, vocabulary]. */
  logits(batch: Pick<TokenBatch, 'offsets' | 'tokens'>): Matrix {
    const [, , , weight, bias] = this.parameters;
    const hidden = this.#hiddenOf(batch.tokens, startsOf(batch));
    const logits = Matrix.zeros(hidden.rows, this.size.vocabulary);
    for (let row = 0; row < hidden.rows; row++) {
      const out = logits.row(row);
      out.set(bias.data);
      hidden.row(row).forEach((value, unit) => {
        addScaled(out, 0, value, weight.data, unit * out.length, out.length);
      });
    }
    return logits;
  }

  /**
   * Returns the loss of a batch. It is divided by `normalizer` or, without one, by the number of
   * labelled rows. Losses of batches with the same normalizer can be added.
   */
  evaluate(
    strategy: ResponseDistillationStrategy,
    batch: TokenBatch,
    normalizer?: number,
  ): TokenEvaluation {
    const [, , , weight, bias] = this.parameters;
    const starts = startsOf(batch);
    const hidden = this.#hiddenOf(batch.tokens, starts);
    const { loss, gradients } = computeThroughHead(
      strategy,
      { hidden, weight, bias },
      batch.targets,
      batch.labels,
      { normalizer },
    );
    const below = this.#backward(batch.tokens, starts, hidden, gradients.hidden);
    return { loss, gradients: [...below, gradients.weight.data, gradients.bias!.data] };
  }

  #hiddenOf(tokens: Int32Array, starts: Int32Array): Matrix {
    const { embedding, hidden } = this.size;
    const [embeddings, weight, bias] = this.parameters;
    const layer = Matrix.zeros(tokens.length, hidden);
    for (let row = 0; row < tokens.length; row++) {
      const units = layer.row(row);
      units.set(bias.data);
      this.#eachInput(tokens, starts, row, (token, place) => {
        for (let i = 0; i < embedding; i++) {
          const value = embeddings.data[token * embedding + i]!;
          addScaled(units, 0, value, weight.data, (place * embedding + i) * hidden, hidden);
        }
      });
      for (let unit = 0; unit < hidden; unit++) units[unit] = Math.tanh(units[unit]!);
    }
    return layer;
  }

  /**
   * Returns the gradients of the embeddings and of the hidden layer, from the gradient of the
   * layer's output.
   */
  #backward(
    tokens: Int32Array,
    starts: Int32Array,
    layer: Matrix,
    slopes: Matrix,
  ): [Float32Array, Float32Array, Float32Array] {
    const { embedding, hidden } = this.size;
    const [embeddings, weight, bias] = this.parameters;
    const [byEmbedding, byWeight, byBias] = [embeddings, weight, bias].map(
      ({ data }) => new Float32Array(data.length),
    ) as [Float32Array, Float32Array, Float32Array];
    for (let row = 0; row < tokens.length; row++) {
      const units = layer.row(row);
      const before = slopes.row(row).map((slope, unit) => slope * (1 - units[unit]! ** 2));
      addScaled(byBias, 0, 1, before, 0, hidden);
      this.#eachInput(tokens, starts, row, (token, place) => {
        for (let i = 0; i < embedding; i++) {
          const at = token * embedding + i;
          const from = (place * embedding + i) * hidden;
          byEmbedding[at]! += dot(before, 0, weight.data, from, hidden);
          addScaled(byWeight, from, embeddings.data[at]!, before, 0, hidden);
        }
      });
    }
    return [byEmbedding, byWeight, byBias];
  }

  /**
   * Calls a function for each token in a row's context that lies within its sequence; place 0 is
   * the row's own token.
   */
  #eachInput(
    tokens: Int32Array,
    starts: Int32Array,
    row: number,
    visit: (token: number, place: number) => void,
  ): void {
    const places = Math.min(this.size.context, row - starts[row]! + 1);
    for (let place = 0; place < places; place++) visit(tokens[row - place]!, place);
  }
}

/** Returns, for each row, the first row of its sequence. */
function startsOf({ offsets, tokens }: Pick<TokenBatch, 'offsets' | 'tokens'>): Int32Array {
  const starts = new Int32Array(tokens.length);
  for (let i = 0; i + 1 < offsets.length; i++) {
    starts.fill(offsets[i]!, offsets[i]!, offsets[i + 1]!);
  }
  return starts;
}

/** Returns the number of labelled rows of a batch, the normalizer of its loss. */
export function countLabels({ labels }: Pick<TokenBatch, 'labels'>): number {
  return labels.reduce((count, label) => count + (label === IGNORE_INDEX ? 0 : 1), 0);
}
