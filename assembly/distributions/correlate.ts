// 1 − ρ of two sides and its slopes, from the moments of both sides.

/** Addend of the product of the norms, as in the authors' code. */
const EPSILON: f64 = 1e-8;

/** 1 − ρ, and the factors of b, c and a in its slope with respect to a. */
export let distance: f64 = 0;
export let byTeacher: f64 = 0;
export let byDifference: f64 = 0;
export let byStudent: f64 = 0;

/**
 * Computes 1 − ρ and its slope for a and b, which are q and p less their means, from Σ b², Σ b c, Σ
 * c², Σ a² and Σ a b with c = a − b.
 *
 * If a and b are close, everything is computed from b and c, so that nothing cancels. Otherwise c
 * would hide an a that is small compared with b. If Σ a² is at most `least`, all elements of a are
 * equal: ρ is 0, and so is its derivative with respect to the norm.
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
    // With a = b + c, the factor of b is along − 1 / denominator.
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
