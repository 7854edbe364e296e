const WARM_UP = 0.1;

/**
 * Returns the factor of the learning rate at `progress` in (0, 1]: linear warm-up, then half a
 * cosine down to 0.
 */
export function schedule(progress: number): number {
  if (progress < WARM_UP) return progress / WARM_UP;
  return 0.5 + 0.5 * Math.cos((Math.PI * (progress - WARM_UP)) / (1 - WARM_UP));
}
