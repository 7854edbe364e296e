import type { Recipe } from '../worker/protocol.js';

/** Returns the code of a recipe's loss, as a user of the library writes it. */
export function codeOf({ weights, temperature, alpha }: Recipe): string {
  const terms = [
    {
      weight: weights.response,
      imports: ['ResponseDistillationStrategy'],
      code: `new ResponseDistillationStrategy({ temperature: ${temperature}, alpha: ${alpha} })`,
      layer: 'output',
    },
    {
      weight: weights.attention,
      imports: ['AttentionDistillationStrategy'],
      code: "new AttentionDistillationStrategy({ match: 'kl', input: 'scores' })",
      layer: 'attention',
    },
    {
      weight: weights.feature,
      imports: ['FeatureDistillationStrategy', 'LinearProjection'],
      code: "new FeatureDistillationStrategy({ metric: 'mse', projection })",
      layer: 'features',
    },
  ].filter(({ weight }) => weight > 0);
  const imports = terms.flatMap((term) => term.imports);
  const projection = weights.feature > 0 ? `${PROJECTION}\n` : '';
  const [first] = terms;
  if (terms.length === 1 && first!.layer === 'output') {
    return `${importsOf(imports)}

const strategy = ${first!.code};

${CALL}`;
  }
  const entries = terms.map(
    ({ code, weight, layer }) => `    {
      strategy: ${code},
      weight: ${weight},${layer === 'output' ? '' : ` layer: '${layer}',`}
    },`,
  );
  return `${importsOf(['HybridDistillationStrategy', ...imports])}

${projection}const strategy = new HybridDistillationStrategy(
  [
${entries.join('\n')}
  ],
  { weights: 'normalize' },
);

${LAYERWISE_CALL}`;
}

const PROJECTION =
  '// from the width of the student’s features to the width of the teacher’s\nconst projection = new LinearProjection(16, 40, { seed: 1 });\n';

const CALL = `// student, teacher: logits, a row for each image; labels: a class or UNLABELED for each image
const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
`;

const LAYERWISE_CALL = `// student, teacher: { output, attention, features }; labels: a class or UNLABELED for each image
const { loss, gradients } = strategy.computeLayerwise(student, teacher, labels);
`;

function importsOf(names: readonly string[]): string {
  const lines = [...names].sort().map((name) => `  ${name},`);
  return `import {\n${lines.join('\n')}\n} from 'knowledge-distillation';`;
}
