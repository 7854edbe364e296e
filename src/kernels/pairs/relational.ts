// How the relations of rows differ between student and teacher. Slopes are those by ½ ‖xᵢ − xⱼ‖² of the student, weighted:
// see distanceAdjoint.

import { huberSlope, huberValue } from '../rows/distance.js';
import { inverseDistance, type PairDistances } from './pairDistances.js';

/** The mean over all pairs of Huber's loss of distances in their unit. Writes the slopes, to a matrix of zeros. */
export function distanceDifference(
  own: PairDistances,
  other: PairDistances,
  weight: number,
  slopes: Float64Array | undefined,
): number {
  const { rows, distances, unit } = own;
  const { distances: targets, unit: targetUnit } = other;
  let sum = 0;
  let along = 0;
  for (let i = 0; i < rows; i++) {
    for (let k = i * rows; k <= i * rows + i; k++) {
      const distance = distances[k]! / unit;
      const u = distance - targets[k]! / targetUnit;
      const slope = huberSlope(u, 1);
      sum += huberValue(u, slope);
      along += slope * distance;
      if (slopes) slopes[k] = slope;
    }
  }
  if (slopes) {
    // Each pair counts twice, in the loss and in the unit.
    const factor = (2 * weight) / (rows ** 2 * unit);
    const mean = (2 * along) / Math.max(rows * (rows - 1), 1);
    for (let i = 0; i < rows; i++) {
      for (let k = i * rows; k < i * rows + i; k++) {
        slopes[k] = factor * (slopes[k]! - mean) * inverseDistance(distances[k]!, unit);
      }
    }
  }
  return (2 * sum) / rows ** 2;
}

/**
 * The mean over all triples of Huber's loss of the cosine of the angle at j between i and k, by the law of cosines; it is 0
 * where a row touches the vertex. Adds the slopes.
 */
export function angleDifference(
  own: PairDistances,
  other: PairDistances,
  weight: number,
  slopes: Float64Array | undefined,
): number {
  const { rows } = own;
  const factor = (2 * weight) / rows ** 3; // i and k may be exchanged
  const s = halfSquares(own);
  const t = halfSquares(other);
  const p = new Float64Array(rows); // inverse distances from the vertex
  const q = new Float64Array(rows);
  const pulls = new Float64Array(rows);
  const turns = new Float64Array(rows);
  let sum = 0;
  for (let j = 0; j < rows; j++) {
    const vertex = j * rows;
    for (let k = 0; k < rows; k++) {
      p[k] = inverseDistance(own.distances[vertex + k]!, own.unit);
      q[k] = inverseDistance(other.distances[vertex + k]!, other.unit);
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
        if (slopes) {
          const weighted = factor * slope;
          const pull = weighted * inverse;
          const turn = weighted * cosine;
          slopes[row + k]! -= pull;
          pulls[k]! += pull;
          turns[k]! += turn;
          pullSum += pull;
          turnSum += turn;
        }
      }
      pulls[i]! += pullSum;
      turns[i]! += turnSum;
      // Of i with itself: 1, and 0 where it touches the vertex.
      const u = Math.sign(pi) - Math.sign(qi);
      sum += 0.5 * huberValue(u, huberSlope(u, 1));
    }
    if (slopes) {
      for (let k = 0; k < rows; k++) slopes[vertex + k]! += pulls[k]! - turns[k]! * p[k]! * p[k]!;
    }
  }
  return (2 * sum) / rows ** 3;
}

function halfSquares({ distances }: PairDistances): Float64Array {
  return distances.map((distance) => 0.5 * distance * distance);
}
