import {
  AttentionDistillationStrategy,
  AttentionTransferDistillationStrategy,
  SelfAttentionRelationDistillationStrategy,
} from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import { isNonZero, type Subjects } from './subjects.js';

function attention(
  match: 'mse' | 'kl' | 'cosine',
  input: 'probabilities' | 'scores',
): StrategySubject {
  return {
    create: () => new AttentionDistillationStrategy({ match, input }),
    values: input === 'scores' ? 'features' : 'probabilities',
    ruledOut: input === 'scores',
    isRegular: match === 'cosine' ? isNonZero : () => true,
    invariances: [
      'row-order',
      'column-order',
      ...(match === 'kl' && input === 'scores' ? (['row-shift'] as const) : []),
      ...(match === 'cosine' && input === 'scores'
        ? (['student-scale', 'teacher-scale'] as const)
        : []),
    ],
    // Divided by the norm of a row, which may be as small as 1/32.
    ...(match === 'cosine' && { rounding: 1e-9 }),
  };
}

export const attentionSubjects: Subjects = {
  AttentionDistillationStrategy: {
    'mse of probabilities': attention('mse', 'probabilities'),
    'kl of probabilities': {
      ...attention('kl', 'probabilities'),
      // Its third derivative is −2 t / s³: beside a small probability, a step that rounding allows
      // shows it.
      rounding: 1e-8,
    },
    'cosine of probabilities': attention('cosine', 'probabilities'),
    'mse of scores': attention('mse', 'scores'),
    'kl of scores': attention('kl', 'scores'),
    'cosine of scores': attention('cosine', 'scores'),
  },
  AttentionTransferDistillationStrategy: {
    'by default': {
      create: () => new AttentionTransferDistillationStrategy({ channels: 2 }),
      isRegular: isNonZero,
      values: 'features',
      columns: 6,
      invariances: ['row-order', 'student-scale', 'teacher-scale'],
      rounding: 1e-9,
    },
    'with other channels': {
      create: () =>
        new AttentionTransferDistillationStrategy({ channels: { student: 1, teacher: 3 } }),
      isRegular: isNonZero,
      values: 'features',
      columns: { student: 3, teacher: 9 },
      invariances: ['row-order'],
    },
    'power 4': {
      create: () => new AttentionTransferDistillationStrategy({ channels: 3, power: 4 }),
      isRegular: isNonZero,
      values: 'features',
      columns: 6,
      invariances: ['row-order'],
    },
    'power 1': {
      create: () => new AttentionTransferDistillationStrategy({ channels: 3, power: 1 }),
      isRegular: isNonZero,
      values: 'features',
      columns: 6,
      invariances: ['row-order'],
    },
  },
  SelfAttentionRelationDistillationStrategy: {
    'one head': {
      create: () => new SelfAttentionRelationDistillationStrategy({ heads: 1 }),
      values: 'features',
      sumOverRows: false,
      invariances: ['row-order', 'column-order'],
    },
    'two heads': {
      create: () => new SelfAttentionRelationDistillationStrategy({ heads: 2 }),
      values: 'features',
      columns: 4,
      sumOverRows: false,
      invariances: ['row-order', 'column-order'],
    },
    'heads of other widths': {
      create: () => new SelfAttentionRelationDistillationStrategy({ heads: 2 }),
      values: 'features',
      columns: { student: 2, teacher: 6 },
      sumOverRows: false,
      invariances: ['row-order', 'column-order'],
    },
    'a sequence of one token': {
      create: () => new SelfAttentionRelationDistillationStrategy({ heads: 1, positions: 1 }),
      values: 'features',
      sumOverRows: false, // it is one over sequences, of which each is a row here
      invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale', 'row-shift'],
    },
  },
};
