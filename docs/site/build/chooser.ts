import type { Strategy } from '../../catalogue/catalogue.js';
import { writePage } from './repository.js';
import { pathOf } from './strategies.js';

// The chooser: four questions that end in a program. Every program is compiled and run by a test.

/** The answers of a reader, one key for each question. */
export interface Answers {
  readonly classes: 'same' | 'other' | 'embeddings' | 'scores';
  readonly labels: 'all' | 'some' | 'none';
  readonly layers: 'no' | 'same' | 'other';
  readonly batch: 'large' | 'small';
}

interface Question<Key extends keyof Answers = keyof Answers> {
  readonly key: Key;
  readonly text: string;
  readonly options: Readonly<Record<Answers[Key], string>>;
}

/** The questions, in order; the first option of each is chosen at first. */
const QUESTIONS: readonly [
  Question<'classes'>,
  Question<'labels'>,
  Question<'layers'>,
  Question<'batch'>,
] = [
  {
    key: 'classes',
    text: 'Do teacher and student have the same classes?',
    options: {
      same: 'Yes: logits of the same classes or tokens',
      other: 'No: logits of other classes, or another tokenizer',
      embeddings: 'No classes: embeddings, to compare with each other',
      scores: 'No classes: scores of the candidates of a query',
    },
  },
  {
    key: 'labels',
    text: 'Are there labels?',
    options: { all: 'For every row', some: 'For some rows', none: 'None' },
  },
  {
    key: 'layers',
    text: 'Can you read a hidden layer of the teacher?',
    options: {
      no: 'No',
      same: 'Yes, as wide as the student’s',
      other: 'Yes, of another width',
    },
  },
  {
    key: 'batch',
    text: 'How large is a batch?',
    options: { large: 'Dozens of rows or more', small: 'A few rows, or chunks of a batch' },
  },
];

/** Every combination of answers. */
export function combinations(): Answers[] {
  return QUESTIONS.reduce<Partial<Answers>[]>(
    (found, { key, options }) =>
      found.flatMap((answers) =>
        Object.keys(options).map((value) => ({ ...answers, [key]: value })),
      ),
    [{}],
  ) as Answers[];
}

/** A recommendation: the loss of the outputs, that of the layer, and what to try after them. */
interface Recommendation {
  readonly output: Loss;
  readonly layer: Loss | undefined;
  /** Names of strategies, short. */
  readonly next: readonly string[];
}

interface Loss {
  readonly name: string;
  readonly options: string;
}

/** The losses for the answers. */
export function recommend({ classes, labels, layers, batch }: Answers): Recommendation {
  const layer = LAYER_LOSSES[layers];
  const relations = layer && batch === 'large' ? ['SimilarityPreserving'] : [];
  const output = (name: string, options: string, next: string[]) => ({
    output: { name, options },
    layer,
    next: [...next, ...relations],
  });
  const alpha = labels === 'none' ? '' : ', alpha: 0.3';
  if (classes === 'other') return output('UniversalLogit', `{ temperature: 1${alpha} }`, []);
  if (classes === 'scores') {
    if (labels === 'none') return output('Ranking', '', ['Response']);
    return output('MarginMSE', '', ['Ranking']);
  }
  if (classes === 'embeddings') {
    if (batch === 'small')
      return output('Feature', "{ metric: 'cosine' }", ['ContrastiveRepresentation']);
    return output('SimilarityDistribution', '', ['Relational', 'Contrastive']);
  }
  const next = labels === 'all' ? ['Decoupled', 'Normalized'] : ['ReverseKL', 'JensenShannon'];
  return output(
    'Response',
    `{ temperature: 4${alpha} }`,
    batch === 'large' ? [...next, 'Correlation'] : next,
  );
}

const LAYER_LOSSES = {
  no: undefined,
  same: { name: 'Feature', options: '' },
  other: { name: 'Feature', options: '{ projection: new LinearProjection(2, 3) }' },
} as const;

const INPUTS = {
  same: [
    'Logits: a row for each sample, a column for each class.',
    '[[1, 0.2, -0.5], [0.1, 0.4, 0.3]]',
    '[[3, 1, -2], [0, 2.5, 1.5]]',
  ],
  other: [
    'Logits: a row for each token, a column for each token of the vocabulary.',
    '[[1, 0.2, -0.5], [0.1, 0.4, 0.3]]',
    '[[3, 1, -2, 0], [0, 2.5, 1.5, 1]]',
  ],
  embeddings: [
    'Embeddings: a row for each sample.',
    '[[1, 0.2], [0.1, 0.4], [0.5, -1], [-0.3, 0.8]]',
    '[[0.8, 0.6], [0, 1], [0.6, -0.8], [-0.6, 0.8]]',
  ],
  scores: [
    'Scores: a row for each query, a column for each candidate, the right one first.',
    '[[1, 0.2, -0.5], [0.1, 0.4, 0.3]]',
    '[[3, 1, -2], [2.5, 0, 1.5]]',
  ],
} as const;

const HIDDEN = {
  same: '[[0.8, 0.1, 0.2], [0, 0.3, 0.9]]',
  other: '[[0.5, -1], [1, 2]]',
} as const;

/** The program for the answers. */
export function programOf(answers: Answers): string {
  const { classes, labels, layers } = answers;
  const { output, layer } = recommend(answers);
  const usesLabels = labels !== 'none' && (classes === 'same' || classes === 'other');
  const isPartial = usesLabels && labels === 'some';
  const projects = layers === 'other';
  const names = [
    layer && 'HybridDistillationStrategy',
    projects && 'LinearProjection',
    'Matrix',
    isPartial && 'UNLABELED',
    classOf(output),
    layer && classOf(layer),
  ].filter((name) => typeof name === 'string');
  const [comment, student, teacher] = INPUTS[classes];
  const rows = classes === 'embeddings' ? 2 : 1; // embeddings have four rows, layers two of them
  const hidden = (values: string) =>
    rows === 1 ? values : `${values.slice(0, -1)}, ${values.slice(1)}`;
  const lines = [
    `import {\n${[...new Set(names)]
      .sort(byLetter)
      .map((name) => `  ${name},\n`)
      .join('')}} from 'knowledge-distillation';`,
    '',
    ...(layer
      ? [
          'const strategy = new HybridDistillationStrategy([',
          `  { strategy: new ${classOf(output)}(${output.options}), weight: 0.7 },`,
          `  { strategy: new ${classOf(layer)}(${layer.options}), weight: 0.3, layer: 'hidden' },`,
          ']);',
        ]
      : [`const strategy = new ${classOf(output)}(${output.options});`]),
    '',
    `// ${comment}`,
    `const student = Matrix.fromRows(${student});`,
    `const teacher = Matrix.fromRows(${teacher});`,
    ...(usesLabels
      ? [
          isPartial
            ? 'const labels = Int32Array.of(0, UNLABELED);'
            : 'const labels = Int32Array.of(0, 1);',
        ]
      : []),
    ...(layer && layers !== 'no'
      ? [
          `const studentLayer = Matrix.fromRows(${hidden(HIDDEN[layers])});`,
          `const teacherLayer = Matrix.fromRows(${hidden('[[1, 0, 0], [0, 0, 1]]')});`,
          '',
          'const { loss, gradients } = strategy.computeLayerwise(',
          '  { output: student, hidden: studentLayer },',
          '  { output: teacher, hidden: teacherLayer },',
          ...(usesLabels ? ['  labels,'] : []),
          ');',
          'console.log(loss, gradients.output, gradients.hidden); // where your backward pass begins',
        ]
      : [
          '',
          `const { loss, gradient } = strategy.computeLossAndGradient(student, teacher${usesLabels ? ', labels' : ''});`,
          'console.log(loss, gradient); // where your backward pass begins',
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

function classOf({ name }: Loss): string {
  return `${name}DistillationStrategy`;
}

function byLetter(a: string, b: string): number {
  return a.localeCompare(b, 'en', { sensitivity: 'base' });
}

/** Notes for logits of the same classes, as Markdown. */
const SPECIAL_CASES = `Special cases:

- A student much smaller than its teacher: \`ReverseKL\` for a language model, \`standardizeLogits: true\` for a classifier ([the capacity gap](choosing.md#a-small-student-the-capacity-gap)).
- A language model: \`causalRows\` excludes [prompts and padding](language-models.md#prompts-and-padding-which-rows-count).
- The k largest logits of the teacher: [\`SparseTargets\`](language-models.md#a-teacher-of-its-largest-logits) take the teacher's place.`;

/** Writes the page. */
export function writeChooser(strategies: readonly Strategy[]): void {
  const described = (name: string) => {
    const strategy = strategies.find((each) => each.name === name);
    if (!strategy) throw new Error(`the chooser names ${name}, which is no strategy`);
    return `- [${name}](/${pathOf(strategy)}): ${strategy.use}`;
  };
  const parts = [
    ...shownFor((answers) => {
      const { output, layer } = recommend(answers);
      const losses = [...new Set([output.name, ...(layer ? [layer.name] : [])])];
      return `${losses.map(described).join('\n')}\n\n\`\`\`ts\n${programOf(answers)}\`\`\``;
    }),
    ...shownFor((answers) => {
      const { next } = recommend(answers);
      return next.length > 0 ? `Then try:\n\n${next.map(described).join('\n')}` : '';
    }),
    ...shownFor(({ classes }) => (classes === 'same' ? SPECIAL_CASES : '')),
  ];
  const questions = JSON.stringify(QUESTIONS).replaceAll("'", '&#39;');
  writePage(
    'choose',
    'docs/guides/choosing.md',
    `<script setup>
import Chooser from '../.vitepress/theme/Chooser.vue';
</script>

# Which loss?

Choose a loss by four answers: they lead to code that runs. The guide [choosing a loss](choosing.md) compares all losses.

<Chooser :questions='${questions}' v-slot="{ answer }">

${parts.join('\n\n')}

</Chooser>
`,
    'outline: false\n',
  );
}

/** Each text that `describe` makes, shown while the answers are those that it is made for. */
function shownFor(describe: (answers: Answers) => string): string[] {
  const keys = new Map<string, string[]>();
  for (const answers of combinations()) {
    const text = describe(answers);
    keys.set(text, [...(keys.get(text) ?? []), `'${Object.values(answers).join(' ')}'`]);
  }
  return [...keys].map(
    ([text, shown]) => `<div v-show="[${shown}].includes(answer)">\n\n${text}\n\n</div>`,
  );
}
