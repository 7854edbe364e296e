import { drawChart, SERIES, type TopLevelSpec } from '../../tools/charts/chart.js';
import { summarize } from '../shared/statistics.js';
import { formatPercent } from '../shared/table.js';
import type { Results } from './results.js';

/**
 * Draws learning curves as SVG: mean and range over seeds of every method, and the teacher as a
 * dashed line.
 */
export function drawLearningCurves(results: Results): Promise<string> {
  return drawChart(learningCurves(results));
}

/** Grey for the method without a teacher. */
const COLORS = [SERIES.at(-1)!, ...SERIES];
/** Lower end of the axis of accuracies; lower values are cut off. */
const LOWEST_ACCURACY = 0.5;

function learningCurves({ settings, teacher, students }: Results): TopLevelSpec {
  const { heldOut, batch, seeds, student } = settings;
  const points = students.flatMap(({ method, runs }) =>
    runs[0]!.curve.map(({ step }, index) => {
      const accuracies = runs.map(({ curve }) => curve[index]!.accuracy);
      const lowest = Math.min(...accuracies);
      const highest = Math.max(...accuracies);
      return { method, step, mean: summarize(accuracies).mean, lowest, highest };
    }),
  );
  const x = {
    field: 'step',
    type: 'quantitative' as const,
    title: `training steps (batches of ${batch} images)`,
    scale: { domain: [0, student.training.steps], nice: false },
    axis: { grid: false },
  };
  const y = {
    type: 'quantitative' as const,
    title: 'held-out accuracy (%)',
    scale: { domain: [LOWEST_ACCURACY, 1] },
    axis: { format: '.0%' },
  };
  const color = {
    field: 'method',
    type: 'nominal',
    title: null,
    scale: { domain: students.map(({ method }) => method), range: COLORS },
    legend: { symbolType: 'stroke', symbolOpacity: 1, symbolStrokeWidth: 3, labelLimit: 0 },
  } as const;
  const teacherLine = {
    values: [
      {
        accuracy: teacher.accuracy,
        label: `teacher ${formatPercent([teacher.accuracy])}`,
        step: 0,
      },
    ],
  };
  return {
    width: 640,
    height: 400,
    title: {
      text: 'The same student, taught in four ways',
      subtitle: `Accuracy on ${heldOut} held-out digits, ${
        seeds.length > 1 ? `mean and range over ${seeds.length} seeds` : 'one seed'
      }`,
    },
    data: { values: points },
    layer: [
      {
        mark: { type: 'area', opacity: 0.2, clip: true },
        encoding: { x, y: { ...y, field: 'lowest' }, y2: { field: 'highest' }, color },
      },
      {
        mark: { type: 'line', strokeWidth: 2.5, clip: true, point: { size: 30 } },
        encoding: { x, y: { ...y, field: 'mean' }, color },
      },
      {
        data: teacherLine,
        mark: { type: 'rule', strokeWidth: 1.5, strokeDash: [6, 4] },
        encoding: { y: { ...y, field: 'accuracy' } },
      },
      {
        data: teacherLine,
        mark: { type: 'text', align: 'left', baseline: 'bottom', dx: 6, dy: -4, fontSize: 12 },
        encoding: { x, y: { ...y, field: 'accuracy' }, text: { field: 'label' } },
      },
    ],
  };
}
