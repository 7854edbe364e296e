import type { CurvePoint, Recipe } from '../worker/protocol.js';

/** The smallest and the largest value of each setting of a recipe. */
export const LIMITS: Readonly<
  Record<'weight' | 'temperature' | 'alpha', readonly [least: number, most: number]>
> = { weight: [0, 100], temperature: [1, 10], alpha: [0, 1] };

/** True if two recipes teach the same. */
export function isSameRecipe(left: Recipe, right: Recipe): boolean {
  return settingsOf(left).join() === settingsOf(right).join();
}

/** Returns the recipes that trained a student, one after the other; none before its first step. */
export function recipesOf(curve: readonly CurvePoint[]): readonly Recipe[] {
  const trained = curve.filter(({ step }) => step > 0).map(({ recipe }) => recipe);
  return trained.filter((recipe, i) => i === 0 || !isSameRecipe(recipe, trained[i - 1]!));
}

/** Returns all settings of a recipe, in the order of links. */
export function settingsOf({ images, weights, temperature, alpha }: Recipe): (string | number)[] {
  return [images, weights.response, weights.attention, weights.feature, temperature, alpha];
}
