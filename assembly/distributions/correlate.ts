// 1 − ρ of two sides and its slopes, from their moments.

/** What is added to the product of the norms, as in the authors' code. */
const EPSILON: f64 = 1e-8;

/** 1 − ρ, and the factors of b, of c and of a in its slope by a. */
export let distance: f64 = 0;
export let byTeacher: f64 = 0;
export let byDifference: f64 = 0;
export let byStudent: f64 = 0;

/**
 * Relates a and b, which are q and p less their means, by Σ b², Σ b c, Σ c², Σ a² and Σ a b, where
 * c = a − b. Where they are close, all is made of b and c, so that nothing cancels. Elsewhere c
 * holds nothing of a small a beside b. Where Σ a² is no more than `least`, all of a are equal: ρ is
 * 0, and its derivative by the norm is taken as 0.
 */
export function relate(bb: f64, bc: f64, cc: f64, aa: f64, ab: f64, least: f64): void {
  const isClose = 4 * cc < bb;
  if (isClose) {
    aa = bb + 2 * bc + cc;
    ab = bb + bc;
  }
  if (aa <= least) {
    byDifference = 0;
    byTeacher = -1 / EPSILON;
    byStudent = 0;
    distance = 1;
    return;
  }
  const norms = sqrt(aa) * sqrt(bb);
  const denominator = norms + EPSILON;
  // d (1 − ρ) / d a = (ρ ‖b‖ a / ‖a‖ − b) / denominator
  const along = ((ab / aa) * (norms / denominator)) / denominator;
  if (isClose) {
    // As a = b + c, b counts along − 1 / denominator.
    byDifference = along;
    byTeacher = -(((bc + cc) / aa) * norms + EPSILON) / (denominator * denominator);
    byStudent = 0;
    // 1 − ρ = (denominator² − ab²) / (denominator (denominator + ab)), and ‖a‖² ‖b‖² − ab² = bb ·
    // cc − bc²
    const beside = bb * cc - bc * bc + EPSILON * (2 * norms + EPSILON);
    distance = beside / (denominator * (denominator + ab));
  } else {
    byDifference = 0;
    byTeacher = -1 / denominator;
    byStudent = along;
    distance = 1 - ab / denominator;
  }
}
