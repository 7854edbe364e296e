import { MarginMSEDistillationStrategy, RankingDistillationStrategy } from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import type { Subjects } from './subjects.js';

/** Above 0 at student = teacher, unless all candidates are equal or their leads large. */
function ranking(
  options: ConstructorParameters<typeof RankingDistillationStrategy>[0],
): StrategySubject {
  return {
    create: () => new RankingDistillationStrategy(options),
    values: 'features',
    ruledOut: true,
    reachesMinimum: false,
    invariances: ['row-shift', 'row-order', 'column-order', 'teacher-scale'],
  };
}

export const rankingSubjects: Subjects = {
  MarginMSEDistillationStrategy: {
    'by default': {
      create: () => new MarginMSEDistillationStrategy(),
      values: 'features',
      invariances: ['row-shift', 'row-order'],
    },
  },
  RankingDistillationStrategy: {
    logistic: ranking({}),
    hinge: ranking({ pairLoss: 'hinge' }),
    'hinge, margin 0.3': ranking({ pairLoss: 'hinge', margin: 0.3 }),
  },
};
