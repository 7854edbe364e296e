import { formatPercent } from '../../shared/page/format.js';
import { aheadFrom, lastOf, RESULTS } from '../results.js';
import type { PresetName } from './presets.js';

const { students } = RESULTS;

/** Says what to watch while a student learns with a preset, with the recorded figures. */
export const WATCH: Readonly<Record<PresetName, string>> = {
  'Labels only': `The loss falls to 0: the student knows its ${RESULTS.facts.labelledImages} images by heart. Of new digits it reads about ${rightOf('Labels only')}.`,
  'The teacher’s answers': `Not a single label. It is slower at first, and ahead of the labels after about ${aheadFrom(students['The teacher’s answers'], students['Labels only'])} steps.`,
  'Hinton 2015': `Softer answers, and the labels with a tenth of the weight. It ends at about ${rightOf('Hinton 2015')}, the teacher’s answers alone at about ${rightOf('The teacher’s answers')}.`,
  'TinyBERT-like': `The student also looks where the teacher looks: the overlap of their attention grows from ${overlapOf('TinyBERT-like', 'start')} to ${overlapOf('TinyBERT-like', 'end')}. It ends at about ${rightOf('TinyBERT-like')}.`,
  'Attention only':
    'The student looks where the teacher looks, and names no digit: nothing trains its last layer.',
};

/** The part of the held-out digits that a student reads after a lap, rounded: '73 %' */
export function rightOf(preset: PresetName): string {
  return formatPercent(lastOf(students[preset]).accuracy, 0);
}

function overlapOf(preset: PresetName, when: 'start' | 'end'): string {
  return formatPercent(students[preset].overlap[when], 0);
}
