import { checkChoice, refuse, throwType } from '../../../core/errors.js';
import type { ReplyNode } from '../replyNode.js';
import { type Dtype, dtypes } from './dtypes.js';

/** Names of the dtypes of DistillKit. */
export type DistillKitDtype = 'float16' | 'bfloat16' | 'float32' | 'float64';

/** The parsed `compression_config.yaml` of DistillKit. */
export interface DistillKitConfig {
  /** Size of the vocabulary. */
  readonly d: number;
  /** Number of tokens at each position. */
  readonly k: number;
  /**
   * Number of tokens whose log-probabilities are stored exactly; the other ones are approximated.
   */
  readonly exact_k: number;
  readonly exact_dtype?: DistillKitDtype | undefined;
  /** Terms of the approximation: powers of the index, its root ('sqrt') and exponential ('exp'). */
  readonly polynomial_terms?: readonly (number | 'sqrt' | 'exp')[] | null | undefined;
  readonly term_dtype?: DistillKitDtype | undefined;
  /** Quantized differences between the log-probabilities and the approximation, in bins. */
  readonly residual_bins: readonly {
    readonly scale_dtype: DistillKitDtype;
    readonly element_bits: number;
    readonly num_elements: number;
  }[];
  readonly delta_encoding?: boolean | undefined;
  /** Whether the index is scaled to [0, 1]. */
  readonly normalize_t?: boolean | undefined;
}

/** The configuration of the older format, which has no `compressed_logprobs`. */
export interface DistillKitLegacyConfig {
  readonly vocab_size: number;
  readonly k: number;
  readonly exact_k: number;
  readonly polynomial_degree: number;
  readonly invert_polynomial?: boolean | undefined;
  readonly with_sqrt_term?: boolean | undefined;
  readonly term_dtype?: DistillKitDtype | undefined;
}

/** Largest number of bits of an element, which is the limit of `unpackBits`. */
const LARGEST_BITS = 32;

interface Bin {
  readonly scale: Dtype;
  readonly bits: number;
  readonly count: number;
}

/** How the log-probabilities of a position are stored. */
export interface Layout {
  readonly k: number;
  readonly exactCount: number;
  readonly exact: Dtype;
  readonly term: Dtype;
  /**
   * Returns the values of the terms for each approximated token. Call it only after the sizes of
   * the data were checked: a wrong k can be huge.
   */
  readonly terms: () => readonly (readonly number[])[];
  readonly termCount: number;
  readonly bins: readonly Bin[];
  readonly isDelta: boolean;
  /** Whether the stored values can differ from the teacher's in the first 3 digits. */
  readonly isLossy: boolean;
}

/** Reads the sizes, which both configurations have. */
function readSizes(config: ReplyNode): { k: number; exactCount: number } {
  const k = config.field('k').integer(1);
  const exactCount = config.field('exact_k').integer(0);
  if (exactCount <= k) return { k, exactCount };
  const { operation, place } = config.field('exact_k');
  refuse('OUT_OF_RANGE', operation, place, `be at most k, ${k}`, String(exactCount));
}

/** Reads a configuration. Throws for a configuration that DistillKit does not write. */
export function readLayout(config: ReplyNode): Layout {
  const { k, exactCount } = readSizes(config);
  const count = k - exactCount;
  const exactName = readDtype(config.field('exact_dtype'), 'float32');
  const term = dtypes[readDtype(config.field('term_dtype'), 'float32')];
  const given = config.field('polynomial_terms');
  const names = given.isMissing
    ? []
    : Array.from({ length: given.list().length }, (_, i) => readTerm(given.item(i)));
  const bins = readBins(config.field('residual_bins'), count);
  if (count > 0 && names.length + bins.length === 0) {
    const expected = 'be k, where there are neither polynomial_terms nor residual_bins';
    const { operation, place } = config.field('exact_k');
    refuse('OUT_OF_RANGE', operation, place, expected, String(exactCount));
  }
  const isNormalized = readFlag(config.field('normalize_t'), false);
  return {
    k,
    exactCount,
    exact: dtypes[exactName],
    term,
    terms: once(() => {
      const ts = isNormalized ? unitSteps(count, term) : Array.from({ length: count }, (_, i) => i);
      return ts.map((t) => names.map((name) => term.round(evaluate(name, term.round(t)))));
    }),
    termCount: names.length,
    bins,
    isDelta: readFlag(config.field('delta_encoding'), true),
    isLossy: count > 0 || exactName === 'bfloat16',
  };
}

function readBins(bins: ReplyNode, most: number): Bin[] {
  const read = Array.from({ length: bins.list().length }, (_, i): Bin => {
    const bin = bins.item(i);
    const bits = bin.field('element_bits').integer(1);
    if (bits > LARGEST_BITS) {
      const { operation, place } = bin.field('element_bits');
      refuse('OUT_OF_RANGE', operation, place, `be at most ${LARGEST_BITS}`, String(bits));
    }
    const scale = dtypes[readDtype(bin.field('scale_dtype'))];
    return { scale, bits, count: bin.field('num_elements').integer(1) };
  });
  const total = read.reduce((sum, { count }) => sum + count, 0);
  if (total <= most) return read;
  const expected = `hold at most k − exact_k elements, ${most}`;
  refuse('OUT_OF_RANGE', bins.operation, bins.place, expected, String(total));
}

/** Reads the configuration of the older format, as a layout without bins. */
export function readLegacyLayout(config: ReplyNode): Layout {
  const { k, exactCount } = readSizes(config);
  const degree = config.field('polynomial_degree').integer(0);
  const sign = readFlag(config.field('invert_polynomial'), true) ? -1 : 1;
  const hasRoot = readFlag(config.field('with_sqrt_term'), false);
  return {
    k,
    exactCount,
    exact: dtypes.float16,
    term: dtypes.float32,
    terms: once(() => {
      const powers = Array.from({ length: degree + 1 }, (_, i) => sign * i);
      return Array.from({ length: k - exactCount }, (_, i) => {
        const values = powers.map((power) => (i + 1) ** power);
        return (hasRoot ? [...values, Math.sqrt(i + 1)] : values).map(Math.fround);
      });
    }),
    termCount: degree + 1 + Number(hasRoot),
    bins: [],
    isDelta: false,
    isLossy: k > exactCount,
  };
}

/** Returns a function that computes its value at the first call only. */
function once<R extends object>(compute: () => R): () => R {
  let value: R | undefined;
  return () => {
    value ??= compute();
    return value;
  };
}

/** Returns the bits of a token id. DistillKit computes the logarithm in float32. */
export function indexBits(size: number): number {
  return Math.ceil(Math.fround(Math.log2(Math.fround(size))));
}

/** Returns equal steps from 0 to 1, rounded as in torch.linspace, which counts from both ends. */
function unitSteps(count: number, { round }: Dtype): number[] {
  const last = count - 1;
  const step = last > 0 ? round(1 / last) : 0;
  return Array.from({ length: count }, (_, i) =>
    i === 0 || i < count >> 1 ? round(step * i) : round(1 - round(step * (last - i))),
  );
}

function evaluate(term: number | 'sqrt' | 'exp', t: number): number {
  if (typeof term === 'number') return t ** term;
  return term === 'sqrt' ? Math.sqrt(t) : Math.exp(t);
}

function readTerm(node: ReplyNode): number | 'sqrt' | 'exp' {
  const { value, operation, place } = node;
  if (typeof value === 'number') {
    if (Number.isInteger(value)) return value;
    refuse('OUT_OF_RANGE', operation, place, "be an integer, 'sqrt' or 'exp'", String(value));
  }
  return checkChoice(operation, place, value, ['sqrt', 'exp'] as const);
}

function readDtype(node: ReplyNode, other?: DistillKitDtype): DistillKitDtype {
  if (other !== undefined && node.isMissing) return other;
  const names = ['float16', 'bfloat16', 'float32', 'float64'] as const;
  return checkChoice(node.operation, node.place, node.value, names);
}

function readFlag(node: ReplyNode, other: boolean): boolean {
  if (node.isMissing) return other;
  if (typeof node.value === 'boolean') return node.value;
  throwType(node.operation, node.place, 'be true or false', node.value);
}
