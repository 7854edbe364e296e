import { ResponseDistillationStrategy } from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import type { Subjects } from './subjects.js';

const responseInvariances = ['row-shift', 'row-order', 'column-order'] as const;
function response(
  options: ConstructorParameters<typeof ResponseDistillationStrategy>[0],
): StrategySubject {
  return {
    create: () => new ResponseDistillationStrategy(options),
    values: 'logits',
    ruledOut: true,
    invariances: responseInvariances,
    // Terms may all but cancel, down to a rounding of theirs in float32; test/kernels has the sharp bounds.
    float32Tolerance: 1e-4,
  };
}

export const responseSubjects: Subjects = {
  ResponseDistillationStrategy: {
    'by default': response({}),
    'T = 1, alpha = 1': response({ temperature: 1, alpha: 1 }),
    'T = 0.5, alpha = 0': response({ temperature: 0.5, alpha: 0 }),
    'T = 0.05': response({ temperature: 0.05 }),
    'T = 100': response({ temperature: 100 }),
    'T = 20, alpha = 0.9': response({ temperature: 20, alpha: 0.9 }),
    'without T²': response({ temperature: 4, temperatureSquared: false }),
  },
};
