const WARM_UP = 0.1;

/**
 * Returns the factor of the learning rate at `progress` > 0: linear warm-up, then half a cosine
 * that falls to 0 at progress 1. Once the cosine is below `floor`, the factor is `floor`.
 */
export function schedule(progress: number, floor = 0): number {
  if (progress < WARM_UP) return progress / WARM_UP;
  const angle = (Math.PI * (Math.min(progress, 1) - WARM_UP)) / (1 - WARM_UP);
  return Math.max(floor, 0.5 + 0.5 * Math.cos(angle));
}
