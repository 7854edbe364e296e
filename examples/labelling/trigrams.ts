import { Matrix } from 'knowledge-distillation';

/**
 * Absolute discount: the amount that is subtracted from each count, for words that were not seen in
 * a context.
 */
const DISCOUNT = 0.75;

/** Counts of the words after each context. */
interface Successors {
  readonly counts: Map<number, number>;
  total: number;
}

/**
 * A trigram language model: counts of the words after the last two words, interpolated by absolute
 * discounting with the bigram model, which is interpolated with the unigram model.
 *
 *     p(w | u v) = max(c(u v w) − d, 0) / c(u v) + d n(u v) / c(u v) · p(w | v)
 *
 * n(u v) is the number of different words that came after u v; p(w | v) is interpolated with p(w)
 * likewise.
 */
export class TrigramModel {
  readonly vocabulary: number;
  readonly #logUnigrams: Float32Array;
  readonly #unigrams: Float64Array;
  readonly #afterOne = new Map<number, Successors>();
  readonly #afterTwo = new Map<number, Successors>();

  constructor(texts: Iterable<Int32Array>, vocabulary: number) {
    this.vocabulary = vocabulary;
    const counts = new Float64Array(vocabulary).fill(1);
    let total = vocabulary;
    for (const tokens of texts) {
      for (let i = 1; i < tokens.length; i++) {
        const token = tokens[i]!;
        counts[token]!++;
        total++;
        count(this.#afterOne, tokens[i - 1]!, token);
        if (i > 1) count(this.#afterTwo, this.#pairOf(tokens, i - 1), token);
      }
    }
    this.#unigrams = counts.map((value) => value / total);
    this.#logUnigrams = Float32Array.from(this.#unigrams, Math.log);
  }

  /** Returns log p of every word after each token, [tokens, vocabulary]. */
  logits(tokens: ArrayLike<number>): Matrix {
    const logits = Matrix.zeros(tokens.length, this.vocabulary);
    for (let row = 0; row < tokens.length; row++) {
      const one = this.#afterOne.get(tokens[row]!);
      const two = row > 0 ? this.#afterTwo.get(this.#pairOf(tokens, row)) : undefined;
      const [restOfOne, restOfTwo] = [restOf(one), restOf(two)];
      const logRest = Math.log(restOfOne * restOfTwo);
      const out = logits.row(row);
      for (let word = 0; word < out.length; word++) out[word] = this.#logUnigrams[word]! + logRest;
      for (const word of one?.counts.keys() ?? []) {
        const byOne = shareOf(one, word) + restOfOne * this.#unigrams[word]!;
        out[word] = Math.log(shareOf(two, word) + restOfTwo * byOne);
      }
    }
    return logits;
  }

  /** Returns the index of the pair of the token at `position` and the one before it. */
  #pairOf(tokens: ArrayLike<number>, position: number): number {
    return tokens[position - 1]! * this.vocabulary + tokens[position]!;
  }
}

function count(table: Map<number, Successors>, context: number, word: number): void {
  let successors = table.get(context);
  if (successors === undefined) {
    successors = { counts: new Map(), total: 0 };
    table.set(context, successors);
  }
  successors.counts.set(word, (successors.counts.get(word) ?? 0) + 1);
  successors.total++;
}

/**
 * Returns the discounted probability of a word in a context; 0 if the word never followed the
 * context.
 */
function shareOf(successors: Successors | undefined, word: number): number {
  const seen = successors?.counts.get(word);
  return seen === undefined ? 0 : (seen - DISCOUNT) / successors!.total;
}

/** Returns the probability that a context leaves to the shorter context. */
function restOf(successors: Successors | undefined): number {
  return successors === undefined ? 1 : (DISCOUNT * successors.counts.size) / successors.total;
}
