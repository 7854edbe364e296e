import { checkChoice, refuse, throwType } from '../../../core/errors.js';
import type { Part } from '../part.js';
import { type Dtype, dtypes } from './dtypes.js';

/** Names of the number formats of DistillKit. */
export type DistillKitDtype = 'float16' | 'bfloat16' | 'float32' | 'float64';

/** The parsed `compression_config.yaml` of DistillKit. */
export interface DistillKitConfig {
  /** Size of the vocabulary. */
  readonly d: number;
  /** Number of tokens at each position. */
  readonly k: number;
  /**
   * Number of tokens whose log-probabilities are stored as they are; the others are approximated.
   */
  readonly exact_k: number;
  readonly exact_dtype?: DistillKitDtype | undefined;
  /** Powers of the index, 'sqrt' and 'exp', whose sum approximates. */
  readonly polynomial_terms?: readonly (number | 'sqrt' | 'exp')[] | null | undefined;
  readonly term_dtype?: DistillKitDtype | undefined;
  /** Bins of rounded differences from the approximation. */
  readonly residual_bins: readonly {
    readonly scale_dtype: DistillKitDtype;
    readonly element_bits: number;
    readonly num_elements: number;
  }[];
  readonly delta_encoding?: boolean | undefined;
  /** Whether the index runs from 0 to 1. */
  readonly normalize_t?: boolean | undefined;
}

/** The configuration of the format before `compressed_logprobs`. */
export interface DistillKitLegacyConfig {
  readonly vocab_size: number;
  readonly k: number;
  readonly exact_k: number;
  readonly polynomial_degree: number;
  readonly invert_polynomial?: boolean | undefined;
  readonly with_sqrt_term?: boolean | undefined;
  readonly term_dtype?: DistillKitDtype | undefined;
}

/** Bits of an element from which a sum of bytes is no longer exact. */
const MOST_BITS = 32;

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
  /** For each approximated token the values of the terms. Call it once the sizes fit the data. */
  readonly terms: () => readonly (readonly number[])[];
  readonly termCount: number;
  readonly bins: readonly Bin[];
  readonly isDelta: boolean;
  /** Whether the values are no longer those of the teacher to 3 digits. */
  readonly isLossy: boolean;
}

/** Reads what both configurations have: the sizes. */
function readSizes(config: Part): { k: number; exactCount: number } {
  const k = config.field('k').integer(1);
  const exactCount = config.field('exact_k').integer(0);
  if (exactCount <= k) return { k, exactCount };
  const { operation, place } = config.field('exact_k');
  refuse('OUT_OF_RANGE', operation, place, `be at most k, ${k}`, String(exactCount));
}

/** Reads a configuration; throws for one that DistillKit would not have written. */
export function readLayout(config: Part): Layout {
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

function readBins(bins: Part, most: number): Bin[] {
  const read = Array.from({ length: bins.list().length }, (_, i): Bin => {
    const bin = bins.item(i);
    const bits = bin.field('element_bits').integer(1);
    if (bits > MOST_BITS) {
      const { operation, place } = bin.field('element_bits');
      refuse('OUT_OF_RANGE', operation, place, `be at most ${MOST_BITS}`, String(bits));
    }
    const scale = dtypes[readDtype(bin.field('scale_dtype'))];
    return { scale, bits, count: bin.field('num_elements').integer(1) };
  });
  const total = read.reduce((sum, { count }) => sum + count, 0);
  if (total <= most) return read;
  const expected = `hold at most k − exact_k elements, ${most}`;
  refuse('OUT_OF_RANGE', bins.operation, bins.place, expected, String(total));
}

/** Reads the configuration of the older format, as a layout without bytes. */
export function readLegacyLayout(config: Part): Layout {
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

/** A function that computes its value at the first call. */
function once<R extends object>(compute: () => R): () => R {
  let value: R | undefined;
  return () => {
    value ??= compute();
    return value;
  };
}

/** Bits of a token id, as DistillKit computes them: in float32. */
export function indexBits(size: number): number {
  return Math.ceil(Math.fround(Math.log2(Math.fround(size))));
}

/** Numbers from 0 to 1 at equal steps, as torch.linspace rounds them: steps from both ends. */
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

function readTerm(part: Part): number | 'sqrt' | 'exp' {
  const { value, operation, place } = part;
  if (typeof value === 'number') {
    if (Number.isInteger(value)) return value;
    refuse('OUT_OF_RANGE', operation, place, "be an integer, 'sqrt' or 'exp'", String(value));
  }
  return checkChoice(operation, place, value, ['sqrt', 'exp'] as const);
}

function readDtype(part: Part, other?: DistillKitDtype): DistillKitDtype {
  if (other !== undefined && part.isMissing) return other;
  const names = ['float16', 'bfloat16', 'float32', 'float64'] as const;
  return checkChoice(part.operation, part.place, part.value, names);
}

function readFlag(part: Part, other: boolean): boolean {
  if (part.isMissing) return other;
  if (typeof part.value === 'boolean') return part.value;
  throwType(part.operation, part.place, 'be true or false', part.value);
}
