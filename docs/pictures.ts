import { Random } from '../examples/shared/random.js';
import { mostLikely } from '../examples/shared/statistics.js';
import {
  type DistillationStrategyBase,
  float64,
  JensenShannonDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
  type ResponseOptions,
  ReverseKLDistillationStrategy,
  SkewKLDistillationStrategy,
  SkewReverseKLDistillationStrategy,
  SparseTargets,
  TotalVariationDistillationStrategy,
} from '../src/index.js';
import { SERIES, type TopLevelSpec } from '../tools/charts/chart.js';
import { Bump, likelihoods, TWO_PEAKS } from './bumps.js';

// The pictures of the guides. They show what the library computes; no formula is written twice.

const CLASSES = 10;
const ROWS = 256;
const random = new Random(1, 'temperature');

/**
 * Logits of a class for each of 256 samples: a teacher that is sure, and a student that has just
 * begun.
 */
const teacher = normal(4);
const student = normal(1);
const labels = mostLikely(teacher.data, CLASSES);

function normal(deviation: number): Matrix<Float64Array> {
  const values = Float64Array.from({ length: ROWS * CLASSES }, () => deviation * random.normal());
  return new Matrix(values, ROWS, CLASSES);
}

/** Mean over the rows of the length of d loss / d logits. */
function gradientLength(options: ResponseOptions): number {
  const strategy = new ResponseDistillationStrategy<Float64Array>(options);
  const gradient = strategy.computeGradient(student, teacher, labels, { normalizer: 1 });
  return gradient.toRows().reduce((sum, row) => sum + Math.hypot(...row), 0) / ROWS;
}

const LEGEND = { orient: 'bottom', symbolStrokeWidth: 3, columnPadding: 20 } as const;
const TEMPERATURES = Array.from({ length: 26 }, (_, i) => 2 ** (i / 5)); // 1 to 32
const temperature = {
  field: 'temperature',
  type: 'quantitative' as const,
  title: 'temperature',
  scale: { type: 'log' as const, base: 2, domain: [1, 32] },
  axis: { values: [1, 2, 4, 8, 16, 32], grid: false },
};

/** One row of logits as probabilities, at several temperatures. */
function softened(): TopLevelSpec {
  const logits = Matrix.fromRows([[6, 4, 3, 1, 0]], float64);
  const values = [1, 2, 4, 8].flatMap((temperature) => {
    const { indices, values } = SparseTargets.topK(logits, logits.columns, { temperature });
    return Array.from(indices, (index, i) => ({
      temperature: `T = ${temperature}`,
      logit: logits.get(0, index),
      probability: Math.exp(values.get(0, i)),
    }));
  });
  const y = {
    field: 'probability',
    type: 'quantitative' as const,
    title: null,
    scale: { domain: [0, 1] },
    axis: { format: '.0%', values: [0, 0.5, 1] },
  };
  const x = {
    field: 'logit',
    type: 'ordinal',
    sort: 'descending',
    axis: { labelAngle: 0 },
  } as const;
  return {
    title: 'Probabilities of five classes',
    data: { values },
    facet: { field: 'temperature', type: 'nominal', title: null, header: { labelFontSize: 13 } },
    columns: 2,
    spec: {
      width: 180,
      height: 90,
      layer: [
        { mark: { type: 'bar', color: SERIES[0]! }, encoding: { x, y } },
        {
          mark: { type: 'text', dy: -7, fontSize: 12 },
          encoding: { x, y, text: { field: 'probability', format: '.0%' } },
        },
      ],
    },
  };
}

/** How long the soft and the hard gradient are, over the temperature. */
function lengths(): TopLevelSpec {
  const series = [
    { gradient: 'soft, with T²', options: { alpha: 0 } },
    { gradient: 'soft, without', options: { alpha: 0, temperatureSquared: false } },
    { gradient: 'hard', options: { alpha: 1 } },
  ];
  const values = series.flatMap(({ gradient, options }) =>
    TEMPERATURES.map((temperature) => ({
      gradient,
      temperature,
      length: gradientLength({ ...options, temperature }),
    })),
  );
  return {
    title: 'Length of the gradient of a row',
    width: 380,
    height: 240,
    data: { values },
    mark: { type: 'line', strokeWidth: 2.5 },
    encoding: {
      x: temperature,
      y: {
        field: 'length',
        type: 'quantitative',
        title: null,
        scale: { type: 'log', domain: [0.001, 4] },
        axis: { values: [0.001, 0.01, 0.1, 1], format: '~g' },
      },
      color: {
        field: 'gradient',
        type: 'nominal',
        title: null,
        scale: { domain: series.map(({ gradient }) => gradient), range: SERIES.slice(0, 3) },
        legend: LEGEND,
      },
    },
  };
}

/** The teacher's share of the gradient over the temperature, for several alphas. */
function shares(): TopLevelSpec {
  const forms = [
    { form: 'with T²', temperatureSquared: true },
    { form: 'without', temperatureSquared: false },
  ];
  const values = forms.flatMap(({ form, temperatureSquared }) =>
    [0.1, 0.3, 0.5, 0.9].flatMap((alpha) =>
      TEMPERATURES.map((temperature) => {
        const hard = alpha * gradientLength({ alpha: 1 });
        const soft = (1 - alpha) * gradientLength({ alpha: 0, temperature, temperatureSquared });
        return { form, alpha: `α = ${alpha}`, temperature, share: soft / (soft + hard) };
      }),
    ),
  );
  return {
    title: "The teacher's share of the gradient",
    data: { values },
    facet: {
      column: {
        field: 'form',
        type: 'nominal',
        title: null,
        sort: forms.map(({ form }) => form),
        header: { labelFontSize: 13 },
      },
    },
    spec: {
      width: 170,
      height: 200,
      mark: { type: 'line', strokeWidth: 2.5 },
      encoding: {
        x: temperature,
        y: {
          field: 'share',
          type: 'quantitative',
          title: null,
          scale: { domain: [0, 1] },
          axis: { format: '.0%' },
        },
        color: {
          field: 'alpha',
          type: 'ordinal',
          title: null,
          scale: { range: [...SERIES] },
          legend: LEGEND,
        },
      },
    },
  };
}

/** The student of one peak that each loss prefers, when the teacher has two. */
function modes(): TopLevelSpec {
  const soft = { alpha: 0, temperature: 1 };
  const strategies: Readonly<Record<string, DistillationStrategyBase<Float64Array>>> = {
    Response: new ResponseDistillationStrategy(soft),
    SkewKL: new SkewKLDistillationStrategy(soft),
    JensenShannon: new JensenShannonDistillationStrategy(soft),
    TotalVariation: new TotalVariationDistillationStrategy(soft),
    SkewReverseKL: new SkewReverseKLDistillationStrategy(soft),
    ReverseKL: new ReverseKLDistillationStrategy(soft),
  };
  const bars = likelihoods(TWO_PEAKS);
  const values = Object.entries(strategies).flatMap(([loss, strategy]) => {
    const student = likelihoods(Bump.closestTo(TWO_PEAKS, strategy).logits());
    return student.map((probability, token) => ({
      loss,
      token,
      student: Math.round(1e4 * probability) / 1e4, // the same on every processor
      teacher: bars[token]!,
    }));
  });
  const x = {
    field: 'token',
    type: 'quantitative' as const,
    title: null,
    axis: { labels: false, ticks: false, grid: false },
  };
  const y = (field: string) => ({
    field,
    type: 'quantitative' as const,
    title: null,
    axis: { format: '.0%', tickCount: 3 },
  });
  return {
    title: {
      text: 'The student of one peak with the least loss',
      subtitle: 'grey: the probabilities of a teacher with two peaks; line: the student',
    },
    data: { values },
    facet: {
      field: 'loss',
      type: 'nominal',
      title: null,
      sort: Object.keys(strategies),
      header: { labelFontSize: 13 },
    },
    columns: 3,
    spec: {
      width: 190,
      height: 100,
      layer: [
        {
          mark: { type: 'area', color: SERIES[4]!, opacity: 0.4 },
          encoding: { x, y: y('teacher') },
        },
        {
          mark: { type: 'line', color: SERIES[0]!, strokeWidth: 2.5 },
          encoding: { x, y: y('student') },
        },
      ],
    },
  };
}

/** By the name of their file in docs/guides/pictures. */
export const PICTURES: Readonly<Record<string, TopLevelSpec>> = {
  'softened.svg': softened(),
  'gradient-lengths.svg': lengths(),
  'teacher-share.svg': shares(),
  'modes.svg': modes(),
};
