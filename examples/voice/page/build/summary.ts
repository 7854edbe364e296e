import { readFileSync } from 'node:fs';
import { summarize } from '../../../shared/statistics.js';
import { formatMean, formatPercent } from '../../../shared/table.js';
import { FRAME_SECONDS } from '../../detector/features.js';
import { ALL } from '../../judgement.js';
import type { Results } from '../../results.js';

/** The scenes whose results the page shows, and their names there; music is the hardest. */
const SHOWN = { [ALL]: 'All scenes', it: 'Italian', ru: 'Russian', music: 'Over music' };

/** The results of `npm run example:voice` as the page shows them. */
export interface Summary {
  /** Fraction of frames on which student and teacher decide alike. */
  readonly agreement: number;
  readonly seeds: number;
  /** Hours of sound in the test. */
  readonly hours: string;
  readonly rows: readonly {
    readonly scenes: string;
    readonly agreement: string;
    readonly auc: string;
  }[];
  /** Areas under the curve against the truth of the scenes. */
  readonly truth: {
    readonly teacher: string;
    readonly student: string;
    /** The same student, taught by the true labels. */
    readonly labelled: string;
  };
}

/** Sums up the published results. */
export function summarizeResults(): Summary {
  const file = new URL('../../results.json', import.meta.url);
  const { frames, teacher, methods } = JSON.parse(readFileSync(file, 'utf8')) as Results;
  const [copy, labelled] = methods.map(({ runs }) => runs.map(({ judgements }) => judgements));
  const agreements = (scenes: string): number[] =>
    copy!.map((judged) => judged[scenes]!.teacher.agreement);
  const truthOf = (runs: typeof copy): string =>
    summarize(runs!.map((judged) => judged[ALL]!.truth.auc)).mean.toFixed(3);
  return {
    agreement: summarize(agreements(ALL)).mean,
    seeds: copy!.length,
    hours: ((frames * FRAME_SECONDS) / 3600).toFixed(1),
    rows: Object.entries(SHOWN).map(([scenes, name]) => ({
      scenes: name,
      agreement: formatPercent(agreements(scenes)),
      auc: formatMean(
        copy!.map((judged) => judged[scenes]!.teacher.auc),
        4,
      ),
    })),
    truth: {
      teacher: truthOf([teacher.judgements]),
      student: truthOf(copy),
      labelled: truthOf(labelled),
    },
  };
}
