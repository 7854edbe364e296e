// The response loss of one row, in JavaScript and in doubles.

import type { FloatArray } from '../../core/numeric.js';
import { addCrossEntropy, type RowLabel, sumOf } from './crossEntropy.js';
import { divergence } from './divergence.js';
import { exponentials } from './exp.js';
import { largest } from './softmax.js';

/** What the rows of a call have in common. */
export interface ResponseTerms {
  readonly temperature: number;
  /** What multiplies the divergence: T², or 1. */
  readonly temperatureFactor: number;
  /** The weight of the hard term, where there is a label. */
  readonly alpha: number;
}

/** The rows of one call. */
export interface ResponseRows extends ResponseTerms {
  readonly student: FloatArray;
  readonly teacher: FloatArray;
  readonly columns: number;
  /** Those that take part, ascending. */
  readonly rows: readonly number[];
  /** A class for each row of the matrix, −1 for none. */
  readonly classes: Int32Array | undefined;
  /** Or a distribution for each row, as long as the matrix. */
  readonly distributions: FloatArray | undefined;
}

/** Room for the exponentials of a row, and for its derivative. */
export interface ResponseScratch {
  readonly q: Float64Array;
  readonly p: Float64Array;
  readonly hard: Float64Array;
  readonly derivative: Float64Array;
}

export function responseScratch(columns: number): ResponseScratch {
  const room = () => new Float64Array(columns);
  return { q: room(), p: room(), hard: room(), derivative: room() };
}

/** Below so many nats, the short formula of the divergence has lost digits. */
const CANCELS = 0.25;

/** Up to this temperature, if it is whole, an exponential at 1 is a product of those at the temperature. */
const LARGEST_POWER = 4;

/**
 * (1 − α) · factor · KL(p ‖ q) + α · CE of one row, its derivative left in the scratch; NaN or an infinity where a
 * class is ruled out by the student alone, or a number is none.
 *
 * p = softmax(teacher / T), q = softmax(student / T), and CE is at temperature 1.
 */
export function responseOfRow(
  student: FloatArray,
  teacher: FloatArray,
  offset: number,
  label: RowLabel,
  { temperature, temperatureFactor, alpha }: ResponseTerms,
  { q, p, hard, derivative }: ResponseScratch,
): number {
  const columns = q.length;
  const inverse = 1 / temperature;
  const hardWeight = label === -1 ? 0 : alpha;
  const softWeight = (1 - hardWeight) * temperatureFactor;
  const sMax = largest(student, offset, columns);
  let loss = 0;
  if (softWeight > 0) {
    const qShare = 1 / exponentials(student, offset, sMax, inverse, q);
    const tMax = largest(teacher, offset, columns);
    const pShare = 1 / exponentials(teacher, offset, tMax, inverse, p);
    const weight = softWeight * inverse;
    const dot = weigh(p, teacher, tMax, student, sMax, offset) * pShare;
    for (let j = 0; j < columns; j++) {
      derivative[j] = weight * (q[j]! * qShare - p[j]! * pShare);
    }
    const shift = Math.log(pShare / qShare); // log Σq − log Σp
    let kl = dot * inverse + shift;
    // NaN where a class is ruled out: −∞ − −∞ or 0 · ∞.
    if (!(kl >= CANCELS)) {
      kl = 0;
      let excess = 0; // Σ (q − p): how much too large d is, in the digits that `shift` has lost
      for (let j = 0; j < columns; j++) {
        const [pj, qj] = [p[j]! * pShare, q[j]! * qShare];
        const d = (student[offset + j]! - sMax - (teacher[offset + j]! - tMax)) * inverse - shift;
        const difference = Math.abs(d) < 1 ? pj * Math.expm1(d) : qj - pj;
        kl += divergence(pj, qj, d);
        excess += difference;
        derivative[j] = weight * difference;
      }
      const share = 1 / (1 + excess);
      const spare = weight * excess * share * pShare;
      for (let j = 0; j < columns; j++) derivative[j] = derivative[j]! * share - spare * p[j]!;
    }
    loss += softWeight * kl;
  } else {
    derivative.fill(0);
  }
  if (hardWeight === 0) return loss;
  const isPower = softWeight > 0 && temperature <= LARGEST_POWER && Number.isInteger(temperature);
  const sum = isPower ? raise(q, temperature, hard) : exponentials(student, offset, sMax, 1, hard);
  const row = { student, offset, max: sMax, e: hard, sum };
  return loss + addCrossEntropy(row, label, hardWeight, derivative);
}

/** Σ p · (teacher − its largest − (student − its largest)) */
function weigh(
  p: Float64Array,
  teacher: FloatArray,
  tMax: number,
  student: FloatArray,
  sMax: number,
  offset: number,
): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) {
    sum += p[j]! * (teacher[offset + j]! - tMax - (student[offset + j]! - sMax));
  }
  return sum;
}

/** powers = values^power for a power of 1 to 4; returns their sum. */
function raise(values: Float64Array, power: number, powers: Float64Array): number {
  if (power === 1) {
    powers.set(values);
    return sumOf(values);
  }
  // A loop for each power: to decide within one takes as long as to multiply.
  let sum = 0;
  if (power === 2) {
    for (let j = 0; j < values.length; j++) {
      const value = values[j]!;
      sum += powers[j] = value * value;
    }
  } else if (power === 3) {
    for (let j = 0; j < values.length; j++) {
      const value = values[j]!;
      sum += powers[j] = value * value * value;
    }
  } else {
    for (let j = 0; j < values.length; j++) {
      const square = values[j]! * values[j]!;
      sum += powers[j] = square * square;
    }
  }
  return sum;
}
