/** A detector decides for speech from this probability on. */
export const THRESHOLD = 0.5;

/** How well a detector's probabilities fit the decisions of a reference. */
export interface Fit {
  /** Fraction of frames with the same decision. */
  readonly agreement: number;
  /** Area under the receiver operating characteristic: whether it orders the frames as well. */
  readonly auc: number;
}

/** Returns the fit to decisions, each 1 for speech or 0. */
export function fitTo(decisions: ArrayLike<number>, probabilities: Float32Array): Fit {
  let same = 0;
  probabilities.forEach((probability, frame) => {
    if (decide(probability) === decisions[frame]) same++;
  });
  return { agreement: same / probabilities.length, auc: areaUnderCurve(decisions, probabilities) };
}

export function decide(probability: number): 0 | 1 {
  return probability >= THRESHOLD ? 1 : 0;
}

/**
 * Returns the probability that a random frame with speech has a higher value than a random frame
 * without; equal values count half. NaN if there are no frames of one kind.
 */
export function areaUnderCurve(decisions: ArrayLike<number>, values: Float32Array): number {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  let [below, area] = [0, 0]; // frames without speech and with a lower value
  for (let start = 0, end = 0; start < order.length; start = end) {
    let [positives, negatives] = [0, 0];
    while (end < order.length && values[order[end]!] === values[order[start]!]) {
      if (decisions[order[end]!] === 1) positives++;
      else negatives++;
      end++;
    }
    area += positives * (below + negatives / 2);
    below += negatives;
  }
  return area / (below * (order.length - below));
}
