const WARM_UP = 0.1;

/**
 * What the learning rate is multiplied by: linear warm-up, then half a cosine down to 0; `progress`
 * in (0, 1].
 */
export function schedule(progress: number): number {
  if (progress < WARM_UP) return progress / WARM_UP;
  return 0.5 + 0.5 * Math.cos((Math.PI * (progress - WARM_UP)) / (1 - WARM_UP));
}
