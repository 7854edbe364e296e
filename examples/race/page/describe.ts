import { formatPercent } from '../../shared/page/format.js';
import { mostLikelyOf } from '../../shared/statistics.js';
import type { CurvePoint, Facts, Recipe } from '../worker/protocol.js';
import { formatCount } from './format.js';
import type { Lane } from './lanes.js';
import { PRESETS } from './presets.js';
import { isSameRecipe, recipesOf } from './recipes.js';

export type Who = 'teacher' | Lane;

export const NAMES: Readonly<Record<Who, string>> = {
  teacher: 'Teacher',
  labels: 'Labels only',
  taught: 'Taught',
};

/** True if the loss contains the teacher's answers. */
export function hearsTeacher({ images, weights, alpha }: Recipe): boolean {
  return weights.response > 0 && (images === 'all' || alpha < 1);
}

/** The name of a recipe, or else its settings. */
export function nameOf(recipe: Recipe): string {
  return PRESETS.find((preset) => isSameRecipe(preset.recipe, recipe))?.name ?? describe(recipe);
}

/** The recipes that trained a student: 'The teacher’s answers, then Hinton 2015' */
export function historyOf(curve: readonly CurvePoint[]): string {
  const names = recipesOf(curve).map(nameOf);
  return names.length > MOST_NAMES
    ? `${names[0]}, then ${names.length - 2} others, then ${names.at(-1)}`
    : names.join(', then ');
}

const MOST_NAMES = 3;

/** 'answers 40 %, attention 30 %, features 30 %; T 3; label 30 %' */
function describe(recipe: Recipe): string {
  const { images, weights, temperature, alpha } = recipe;
  const sum = weights.response + weights.attention + weights.feature;
  const parts = PARTS.filter(([name]) => weights[name] > 0).map(([name, label]) =>
    weights[name] === sum ? label : `${label} ${formatPercent(weights[name] / sum, 0)}`,
  );
  const response = weights.response > 0;
  return [
    response && !hearsTeacher(recipe) ? 'label' : parts.join(', '),
    ...(hearsTeacher(recipe) ? [`T ${temperature}`] : []),
    ...(response && hearsTeacher(recipe) ? [labelOf(alpha)] : []),
    ...(images === 'labelled' ? ['labelled images only'] : []),
  ].join('; ');
}

const PARTS = [
  ['response', 'answers'],
  ['attention', 'attention'],
  ['feature', 'features'],
] as const;

function labelOf(alpha: number): string {
  return alpha > 0 ? `label ${formatPercent(alpha, 0)}` : 'no label';
}

/** 'the teacher's answers for 3,000 images, no label' */
export function lessonOf(recipe: Recipe, facts: Facts): string {
  const { images, weights, alpha } = recipe;
  const usesLabels = weights.response > 0 && alpha > 0;
  const parts = [
    ...(hearsTeacher(recipe) ? ['answers'] : []),
    ...(weights.attention > 0 ? ['attention'] : []),
    ...(weights.feature > 0 ? ['features'] : []),
  ];
  const labels = usesLabels ? `${facts.labelledImages} labels` : 'no label';
  if (parts.length === 0) return `${labels}, no teacher`;
  const count = formatCount(images === 'all' ? facts.images : facts.labelledImages);
  return `the teacher’s ${parts.join(', ')} for ${count} images, ${labels}`;
}

/**
 * 'a 3 that looks a bit like a 5 or an 8': the teacher's own answer in words, which no temperature
 * changes.
 */
export function likenessOf(probabilities: Float32Array): string {
  const best = mostLikelyOf(probabilities);
  const others = probabilities.map((share, digit) => (digit === best ? 0 : share));
  const second = Math.max(...others);
  const alike = [...others.keys()].filter((digit) => others[digit]! > ALIKE * second);
  const names = alike.slice(0, MOST_NAMES).map(withArticle);
  return `${withArticle(best)} that ${degreeOf(second)} ${names.join(' or ')}`;
}

/** A digit whose share is larger than this part of the second largest is named beside it. */
const ALIKE = 0.6;

function degreeOf(share: number): string {
  if (share > 0.25) return 'could as well be';
  if (share > 0.03) return 'looks a lot like';
  if (share > 0.001) return 'looks a bit like';
  return 'hardly looks like';
}

/** 3 → 'a 3', 8 → 'an 8' */
function withArticle(digit: number): string {
  return `${digit === 8 ? 'an' : 'a'} ${digit}`;
}
