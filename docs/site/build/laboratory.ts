import type { Strategy } from '../../catalogue/catalogue.js';
import type { Loss } from '../.vitepress/theme/laboratory/losses.js';
import { writePage } from './repository.js';
import { isInLaboratory, pathOf } from './strategies.js';

// The page of the loss laboratory: every response loss of the catalogue, with its formula.

/** The names by which papers know these losses. */
const ALIASES: Readonly<Record<string, string>> = {
  Response: 'forward KL',
  CrossEntropy: 'the label alone',
};

/** What a visitor must know to read a formula beside its gradient. */
const NOTES: Readonly<Record<string, string>> = {
  WeightedSoftLabel:
    'The weight w is a constant to the gradient, so the gradient is not the slope of the value.',
};

/** Options that the page sets for all losses. */
const SHARED: ReadonlySet<string> = new Set(['temperature', 'alpha']);

/** The losses of the page, with those of their options that are numbers. */
export function lossesOf(strategies: readonly Strategy[]): Loss[] {
  return strategies.filter(isInLaboratory).map(({ name, options }) => ({
    name,
    alias: ALIASES[name] ?? '',
    options: options
      .filter(({ name, isShared, type }) => !isShared && type === 'number' && !SHARED.has(name))
      .map(({ name, defaultValue }) => ({ name, defaultValue: Number(defaultValue) })),
  }));
}

/** Writes the page. */
export function writeLaboratory(strategies: readonly Strategy[]): void {
  const shown = strategies.filter(isInLaboratory);
  const classes = shown.map(({ className }) => `  ${className},`).join('\n');
  const byName = shown.map(({ name, className }) => `  ${name}: ${className},`).join('\n');
  writePage(
    'laboratory',
    'docs/guides/choosing.md',
    `<script setup>
import {
${classes}
} from '../../../src/index.ts';
import Laboratory from '../.vitepress/theme/laboratory/Laboratory.vue';

const strategies = {
${byName}
};
</script>

<main class="laboratory vp-doc">

# Loss laboratory

Drag the bars. Every loss says at once how far the student is from the teacher, and which way it pushes the student.

<Laboratory :losses='${JSON.stringify(lossesOf(strategies))}' :strategies="strategies" v-slot="{ loss }">

${shown.map(describe).join('\n\n')}

</Laboratory>

</main>
`,
    'title: Loss laboratory\ndescription: Drag a teacher and a student, and see the value and the gradient of every distillation loss.\nlayout: page\n',
  );
}

/** A loss in words and as a formula, shown while it is the chosen one. */
function describe(strategy: Strategy): string {
  const { name, summary, use, formula } = strategy;
  return `<div v-show="loss === '${name}'">

${summary} ${use} [Options, papers and speed](/${pathOf(strategy)}).

\`\`\`math
${formula}
\`\`\`

${NOTES[name] ?? ''}

</div>`;
}
