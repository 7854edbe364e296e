import { attentionSubjects } from './attention.js';
import { featureSubjects } from './feature.js';
import { hybridSubjects } from './hybrid.js';
import { rankingSubjects } from './ranking.js';
import { relationSubjects } from './relation.js';
import { responseSubjects } from './response.js';
import type { Subjects } from './subjects.js';

/** Every exported strategy. */
export const subjects: Subjects = {
  ...responseSubjects,
  ...attentionSubjects,
  ...featureSubjects,
  ...rankingSubjects,
  ...relationSubjects,
  ...hybridSubjects,
};
