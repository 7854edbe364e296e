// Compares distances and angles of rows between student and teacher. Slopes are weighted
// derivatives with respect to ½ ‖xᵢ − xⱼ‖² of the student, for distanceAdjoint.

import { huberSlope, huberValue } from '../rows/distance.js';
import { mirror, TOLERANCE } from './gram.js';
import { inverseDistance, type PairDistances } from './pairDistances.js';

/**
 * Largest accepted error of distances, relative to their differences. It is below TOLERANCE,
 * because the gradient divides the differences by distances.
 */
const DISTANCE_TOLERANCE = 0.4 * TOLERANCE;

/**
 * Computes the mean over all pairs of Huber's loss of distances, each in the unit of its side.
 * Writes the slopes of pairs i < j. Undefined if float32 products are not precise enough.
 */
export function distanceDifference(
  { rows, excess, teacher, base, unit, weight: share, error }: PairDistances,
  weight: number,
  slopes: Float64Array | undefined,
): number | undefined {
  const inverse = 1 / unit;
  let sum = 0;
  let along = 0;
  let squares = 0;
  for (let i = 0; i < rows; i++) {
    for (let k = i * rows + i; k < (i + 1) * rows; k++) {
      const part = excess[k]! * inverse;
      const target = teacher[k]!;
      const u = part + target * share;
      const slope = huberSlope(u, 1);
      sum += huberValue(u, slope);
      along += slope * (part + base * target * inverse);
      squares += u * u;
      if (slopes) slopes[k] = slope;
    }
  }
  if (error !== 0 && !(error <= DISTANCE_TOLERANCE ** 2 * squares)) return undefined;
  if (slopes) {
    // Each pair counts twice, in the loss and in the unit.
    const factor = (2 * weight) / (rows ** 2 * unit);
    const mean = (2 * along) / Math.max(rows * (rows - 1), 1);
    for (let i = 0; i < rows; i++) {
      for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) {
        const distance = excess[k]! + base * teacher[k]!;
        slopes[k] = factor * (slopes[k]! - mean) * inverseDistance(distance, unit);
      }
    }
  }
  return (2 * sum) / rows ** 2;
}

/**
 * Computes the mean over all triples of Huber's loss of the cosine of the angle at j between i and
 * k, by the law of cosines. The cosine is 0 if i or k touches the vertex j. Adds the slopes of
 * pairs i < j. The distances have to come from products in doubles.
 */
export function angleDifference(
  { rows, excess: own, teacher: other, unit, teacherUnit }: PairDistances,
  weight: number,
  slopes: Float64Array | undefined,
): number {
  const factor = (2 * weight) / rows ** 3; // 2: triples with i and k swapped have the same loss
  mirror(own, rows);
  mirror(other, rows);
  const s = halfSquares(own);
  const t = halfSquares(other);
  // (i, j) and (j, i) sum to the slope of a pair.
  const parts = slopes && new Float64Array(rows * rows);
  const p = new Float64Array(rows); // inverse distances from the vertex
  const q = new Float64Array(rows);
  const pulls = new Float64Array(rows);
  const turns = new Float64Array(rows);
  let sum = 0;
  for (let j = 0; j < rows; j++) {
    const vertex = j * rows;
    for (let k = 0; k < rows; k++) {
      p[k] = inverseDistance(own[vertex + k]!, unit);
      q[k] = inverseDistance(other[vertex + k]!, teacherUnit);
    }
    pulls.fill(0);
    turns.fill(0);
    for (let i = 0; i < rows; i++) {
      const row = i * rows;
      const [si, ti] = [s[vertex + i]!, t[vertex + i]!];
      const [pi, qi] = [p[i]!, q[i]!];
      let pullSum = 0;
      let turnSum = 0;
      for (let k = 0; k < i; k++) {
        const inverse = pi * p[k]!;
        const cosine = (si + s[vertex + k]! - s[row + k]!) * inverse;
        const u = cosine - (ti + t[vertex + k]! - t[row + k]!) * (qi * q[k]!);
        const slope = huberSlope(u, 1);
        sum += huberValue(u, slope);
        if (parts) {
          const weighted = factor * slope;
          const pull = weighted * inverse;
          const turn = weighted * cosine;
          parts[row + k]! -= pull;
          pulls[k]! += pull;
          turns[k]! += turn;
          pullSum += pull;
          turnSum += turn;
        }
      }
      pulls[i]! += pullSum;
      turns[i]! += turnSum;
      // The triple with k = i: its cosine is 1, or 0 if i touches the vertex.
      const u = Math.sign(pi) - Math.sign(qi);
      sum += 0.5 * huberValue(u, huberSlope(u, 1));
    }
    if (parts) {
      for (let k = 0; k < rows; k++) parts[vertex + k]! += pulls[k]! - turns[k]! * p[k]! * p[k]!;
    }
  }
  if (slopes && parts) {
    for (let i = 0; i < rows; i++) {
      for (let j = i + 1; j < rows; j++) {
        slopes[i * rows + j]! += parts[i * rows + j]! + parts[j * rows + i]!;
      }
    }
  }
  return (2 * sum) / rows ** 3;
}

function halfSquares(distances: Float64Array): Float64Array {
  return distances.map((distance) => 0.5 * distance * distance);
}
