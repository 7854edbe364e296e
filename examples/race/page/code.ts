import type { Recipe } from '../worker/protocol.js';
import { SETTINGS } from '../worker/settings.js';

/** A strategy of the recipe, in code. */
interface Term {
  readonly name: string;
  readonly weight: number;
  readonly classes: readonly string[];
  /** Statements before the strategy. */
  readonly before: string;
  readonly strategy: string;
  /** The layer of both models; undefined for their logits. */
  readonly layer?: string;
  /** The content of the matrices. */
  readonly rows: string;
}

/** Returns the code of a recipe's loss, as a user of the library writes it. */
export function codeOf(recipe: Recipe): string {
  const terms = termsOf(recipe).filter(({ weight }) => weight > 0);
  const [first, ...others] = terms;
  return others.length === 0 ? codeOfOne(first!, recipe) : codeOfHybrid(terms, recipe);
}

function termsOf({ weights, temperature, alpha }: Recipe): readonly Term[] {
  const { student, teacher } = SETTINGS;
  return [
    {
      name: 'response',
      weight: weights.response,
      classes: ['ResponseDistillationStrategy'],
      before: '',
      strategy: `new ResponseDistillationStrategy({ temperature: ${temperature}, alpha: ${alpha} })`,
      rows: 'logits, a row for each image',
    },
    {
      name: 'attention',
      weight: weights.attention,
      classes: ['AttentionDistillationStrategy'],
      before: '',
      strategy: "new AttentionDistillationStrategy({ match: 'kl', input: 'scores' })",
      layer: 'attention',
      rows: 'attention scores, a row for each query',
    },
    {
      name: 'feature',
      weight: weights.feature,
      classes: ['FeatureDistillationStrategy', 'LinearProjection'],
      before: `// from the width of the student to the width of the teacher
const projection = new LinearProjection(${student.model.width}, ${teacher.model.width});
`,
      strategy: "new FeatureDistillationStrategy({ metric: 'mse', projection })",
      layer: 'features',
      rows: 'hidden states, a row for each patch',
    },
  ];
}

/** A hybrid with one positive weight is its only strategy. */
function codeOfOne({ classes, before, strategy, rows }: Term, recipe: Recipe): string {
  return `${importOf(classes)}

${before}const strategy = ${strategy};

// student, teacher: ${rows}${labelsOf(recipe).comment}
const { loss, gradient } = strategy.computeLossAndGradient(student, teacher${labelsOf(recipe).argument});
`;
}

function codeOfHybrid(terms: readonly Term[], recipe: Recipe): string {
  const strategies = terms.map(
    ({ before, name, strategy }) => `${before}const ${name} = ${strategy};`,
  );
  const entries = terms.map(({ name, weight, layer }) => {
    const place = layer ? `, layer: '${layer}'` : '';
    return `    { strategy: ${name}, weight: ${weight}${place} },`;
  });
  const layers = terms.map(({ layer }) => layer ?? 'output').join(', ');
  return `${importOf(['HybridDistillationStrategy', ...terms.flatMap(({ classes }) => classes)])}

${strategies.join('\n')}
const strategy = new HybridDistillationStrategy(
  [
${entries.join('\n')}
  ],
  { weights: 'normalize' },
);

// student, teacher: { ${layers} }${labelsOf(recipe).comment}
const { loss, gradients } = strategy.computeLayerwise(student, teacher${labelsOf(recipe).argument});
`;
}

/** The labels, which only the response reads, and only if they have a weight. */
function labelsOf({ images, weights, alpha }: Recipe): { comment: string; argument: string } {
  if (weights.response === 0 || alpha === 0) return { comment: '', argument: '' };
  const unlabelled = images === 'all' ? ', or UNLABELED' : '';
  return {
    comment: `\n// labels: the class of each image${unlabelled}`,
    argument: ', labels',
  };
}

function importOf(classes: readonly string[]): string {
  const [first, ...others] = [...classes].sort();
  const names =
    others.length === 0
      ? ` ${first} `
      : `\n${[first, ...others].map((name) => `  ${name},\n`).join('')}`;
  return `import {${names}} from 'knowledge-distillation';`;
}
