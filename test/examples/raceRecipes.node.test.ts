import fc from 'fast-check';
import * as library from 'knowledge-distillation';
import {
  type LayerOutputs,
  type LayerwiseResult,
  LinearProjection,
  type LossAndGradient,
  Matrix,
  UNLABELED,
} from 'knowledge-distillation';
import { describe, expect, test } from 'vitest';
import { TOKENS } from '../../examples/digits/images.js';
import { codeOf } from '../../examples/race/page/code.js';
import { historyOf, likenessOf } from '../../examples/race/page/describe.js';
import { BLANK, type Drawing, sampleOf } from '../../examples/race/page/drawing.js';
import { readLink, writeLink } from '../../examples/race/page/link.js';
import { endOfLap, LEAD, paceOf } from '../../examples/race/page/pace.js';
import { PRESETS } from '../../examples/race/page/presets.js';
import { LIMITS } from '../../examples/race/page/recipes.js';
import { soften } from '../../examples/race/page/soften.js';
import type { Recipe } from '../../examples/race/worker/protocol.js';
import { createStrategy } from '../../examples/race/worker/recipe.js';
import { Random } from '../../examples/shared/random.js';

const weight = fc.integer({ min: 0, max: 20 }).map((fives) => 5 * fives);
const recipes: fc.Arbitrary<Recipe> = fc
  .record({
    images: fc.constantFrom('labelled' as const, 'all' as const),
    weights: fc.record({ response: weight, attention: weight, feature: weight }),
    temperature: fc.integer({ min: 2, max: 20 }).map((halves) => halves / 2),
    alpha: fc.integer({ min: 0, max: 20 }).map((twentieths) => twentieths / 20),
  })
  .filter(({ weights: { response, attention, feature } }) => response + attention + feature > 0);

const coordinate = fc.double({ min: 0, max: 1, noNaN: true });
const strokes = fc.array(
  fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 600 }),
  { maxLength: 5 },
);
const samples = Array.from({ length: 10 }, (_, digit) => Float32Array.of(digit));

describe('a link', () => {
  test('gives back the recipe and the digit', () => {
    fc.assert(
      fc.property(recipes, fc.nat(9), (recipe, digit) => {
        const shared = { recipe, drawing: sampleOf(samples, digit) };
        expect(readLink(writeLink(shared), samples)).toEqual(shared);
      }),
    );
    for (const { recipe } of PRESETS) {
      expect(readLink(writeLink({ recipe }), samples)).toEqual({ recipe });
    }
  });

  test('gives back strokes of nearly the same points; a link of these is the same', () => {
    fc.assert(
      fc.property(strokes, (drawn) => {
        const link = writeLink({ drawing: { kind: 'strokes', strokes: drawn } });
        const { drawing } = readLink(link, samples);
        const read = strokesOf(drawing!);
        expect(writeLink({ drawing: drawing! })).toBe(link);
        const points = read.flat();
        const distance = (x: number, y: number): number =>
          Math.min(...points.map(([left, top]) => Math.hypot(left - x, top - y)));
        for (const [x, y] of drawn.flat()) expect(distance(x, y)).toBeLessThan(0.02);
        for (const stroke of drawn) {
          const [x, y] = stroke.at(-1)!;
          expect(distance(x, y)).toBeLessThan(0.003);
        }
        expect(read.length).toBeGreaterThanOrEqual(drawn.length);
      }),
      { numRuns: 30 },
    );
    expect(readLink(writeLink({ drawing: BLANK }), samples)).toEqual({ drawing: BLANK });
  });

  test('of a digit is short', () => {
    const seven = [0, 0.25, 0.5, 0.75, 1].flatMap((part) =>
      Array.from({ length: 40 }, (_, step) => [part, step / 40] as const),
    );
    const drawing: Drawing = { kind: 'strokes', strokes: [seven] };
    const link = writeLink({ recipe: PRESETS[3]!.recipe, drawing });
    expect(link.length).toBeLessThan(700);
    expect(link).toMatch(/^#recipe=all-40-30-30-3-0\.3&strokes=[\w-]+$/);
  });

  test('holds no strokes that are too long for it, neither when written nor when read', () => {
    const bytes = Array.from({ length: 260 }, () => [
      255,
      ...Array.from({ length: 510 }, (_, at) => (37 * at) % 256),
    ]).flat();
    const text = Buffer.from(bytes).toString('base64url');
    expect(readLink(`#digit=4&strokes=${text}`, samples)).toEqual({
      drawing: sampleOf(samples, 4),
    });
    expect(readLink(`#strokes=${text}`, samples)).toEqual({});
    const { recipe } = PRESETS[0]!;
    const stroke = Array.from({ length: 70_000 }, (_, at) => [at % 2, (at % 7) / 7] as const);
    const link = writeLink({ recipe, drawing: { kind: 'strokes', strokes: [stroke] } });
    expect(readLink(link, samples)).toEqual({ recipe });
    const half = { kind: 'strokes', strokes: [stroke.slice(0, 4000)] } as const;
    expect(strokesOf(readLink(writeLink({ drawing: half }), samples).drawing!)).not.toEqual([]);
  });

  test('that is broken gives what can be read of it, and never an illegal recipe', () => {
    const wrong = [
      '',
      '#',
      '#recipe',
      '#recipe=all-100-0-0-3',
      '#recipe=all-100-0-0-3-0-0',
      '#recipe=none-100-0-0-3-0',
      '#recipe=all-0-0-0-3-0',
      '#recipe=all-101-0-0-3-0',
      '#recipe=all--5-0-0-3-0',
      '#recipe=all-NaN-0-0-3-0',
      '#recipe=all-1e2-0-0-3-0',
      '#recipe=all-100-0-0-0-0',
      '#recipe=all-100-0-0-11-0',
      '#recipe=all-100-0-0-3-1.5',
      '#strokes=%%%',
      '#strokes=AA', // a stroke of no points
      '#strokes=BQ', // a stroke that ends too early
      '#digit=12',
      '#digit=',
    ];
    for (const hash of wrong) expect([hash, readLink(hash, samples)]).toEqual([hash, {}]);
    expect(readLink('#recipe=none&digit=4', samples)).toEqual({ drawing: sampleOf(samples, 4) });
    const texts = fc.oneof(
      fc.string(),
      fc.tuple(recipes, strokes, fc.nat(), fc.string()).map(([recipe, drawn, at, other]) => {
        const link = writeLink({ recipe, drawing: { kind: 'strokes', strokes: drawn } });
        const place = at % link.length;
        return link.slice(0, place) + other + link.slice(place + 1);
      }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const { recipe, drawing } = readLink(`#${text.replace(/^#/, '')}`, samples);
        if (recipe) expectLegal(recipe);
        for (const stroke of drawing ? strokesOf(drawing) : []) {
          for (const value of stroke.flat()) expect(value).toBeGreaterThanOrEqual(0);
          for (const value of stroke.flat()) expect(value).toBeLessThanOrEqual(1);
          expect(stroke.length).toBeGreaterThan(0);
        }
      }),
    );
  });
});

function strokesOf(drawing: Drawing) {
  return drawing.kind === 'strokes' ? drawing.strokes : [];
}

function expectLegal(recipe: Recipe): void {
  const { weights, temperature, alpha } = recipe;
  const isWithin = (value: number, [least, most]: readonly [number, number]): boolean =>
    value >= least && value <= most;
  expect(Object.values(weights).every((value) => isWithin(value, LIMITS.weight))).toBe(true);
  expect(isWithin(temperature, LIMITS.temperature) && isWithin(alpha, LIMITS.alpha)).toBe(true);
  expect(() => createStrategy(recipe, new LinearProjection(16, 40))).not.toThrow();
}

describe('the code of a recipe', () => {
  const images = 3;
  const random = new Random(1, 'outputs');
  const matrix = (rows: number, columns: number): Matrix =>
    new Matrix(
      Float32Array.from({ length: rows * columns }, () => 2 * random.normal()),
      rows,
      columns,
    );
  const outputs = (width: number): LayerOutputs => ({
    output: matrix(images, 10),
    attention: matrix(images * 2 * TOKENS, TOKENS),
    features: matrix(images * TOKENS, width),
  });
  const [student, teacher] = [outputs(16), outputs(40)];

  const LAYERS = [
    ['output', 'response'],
    ['attention', 'attention'],
    ['features', 'feature'],
  ] as const;

  /** Runs the code as it stands, with the outputs that its comment names. */
  function run(recipe: Recipe, labels: Int32Array) {
    const code = codeOf(recipe);
    const statements = code.replace(
      /import (\{[^}]*\}) from 'knowledge-distillation';/,
      'const $1 = library;',
    );
    const isHybrid = code.includes('HybridDistillationStrategy');
    const only = LAYERS.filter(([, name]) => recipe.weights[name] > 0).map(([layer]) => layer);
    const result = isHybrid ? '{ loss, gradients }' : '{ loss, gradient }';
    const body = new Function(
      'library',
      'student',
      'teacher',
      'labels',
      `${statements} return ${result};`,
    );
    const given = (layers: LayerOutputs) =>
      isHybrid ? Object.fromEntries(only.map((layer) => [layer, layers[layer]])) : layers[only[0]!];
    const returned: LayerwiseResult | LossAndGradient = body(
      library,
      given(student),
      given(teacher),
      labels,
    );
    return {
      loss: returned.loss,
      gradients: 'gradients' in returned ? returned.gradients : { [only[0]!]: returned.gradient },
    };
  }

  function expectTheSame(recipe: Recipe): void {
    const all = Int32Array.from({ length: images }, (_, image) => (3 * image) % 10);
    const labels = recipe.images === 'all' ? all.map((y, i) => (i % 2 ? UNLABELED : y)) : all;
    const strategy = createStrategy(recipe, new LinearProjection(16, 40));
    const expected = strategy.computeLayerwise(student, teacher, labels);
    const { loss, gradients } = run(recipe, labels);
    expect(loss).toBe(expected.loss);
    for (const [layer, gradient] of Object.entries(expected.gradients)) {
      const own = gradients[layer]?.data ?? gradient.data.map(() => 0);
      expect([layer, own]).toEqual([layer, gradient.data]);
    }
  }

  test.each(PRESETS)(
    '$name gives the loss and the gradients of the worker, bit by bit',
    ({ recipe }) => {
      expectTheSame(recipe);
    },
  );

  test('is right for every recipe', () => {
    fc.assert(fc.property(recipes, expectTheSame), { numRuns: 30 });
  });

  test('is short, and imports what it uses', () => {
    fc.assert(
      fc.property(recipes, (recipe) => {
        const code = codeOf(recipe);
        const [, imported] = /import \{([^}]*)\}/.exec(code)!;
        const used = [...code.matchAll(/new (\w+)\(/g)].map(([, name]) => name).sort();
        expect(
          imported!
            .split(',')
            .map((name) => name.trim())
            .filter(Boolean),
        ).toEqual(used);
        expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(26);
        expect(Math.max(...code.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(90);
      }),
    );
  });
});

describe('the pace', () => {
  test('keeps students together, whatever their speeds, and lets both reach the end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { minLength: 150, maxLength: 150 }),
        fc.tuple(fc.constantFrom(0, 700), fc.constant(0)),
        (advances, start) => {
          const steps: [number, number] = [...start];
          const end = endOfLap(steps, 100);
          expect(end).toBe(100);
          for (const [left, right] of advances) {
            const until = paceOf(steps, end);
            const before: [number, number] = [...steps];
            steps[0] = Math.max(steps[0], Math.min(steps[0] + left, until));
            steps[1] = Math.max(steps[1], Math.min(steps[1] + right + 1, until));
            if (start[0] === 0) expect(Math.abs(steps[0] - steps[1])).toBeLessThanOrEqual(LEAD);
            else expect(steps[0]).toBe(700);
            if (left > 0 && Math.min(...before) < end) expect(steps).not.toEqual(before);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a lap ends at the next multiple of its length for the student that is behind', () => {
    expect(
      [
        [0, 0],
        [1, 5],
        [699, 703],
        [700, 700],
        [700, 0],
        [1405, 1400],
      ].map((steps) => endOfLap(steps, 700)),
    ).toEqual([700, 700, 700, 1400, 700, 2100]);
  });
});

test('a softened answer is the softmax at a temperature', () => {
  const logits = Float32Array.of(Math.log(1), Math.log(4), Math.log(16), -Infinity);
  expect([...soften(logits)].map((value) => value.toFixed(5))).toEqual([
    (1 / 21).toFixed(5),
    (4 / 21).toFixed(5),
    (16 / 21).toFixed(5),
    '0.00000',
  ]);
  expect(soften(logits, 2)[2]).toBeCloseTo(4 / 7, 6);
  expect([...soften(Float32Array.of(1e4, -1e4), 0.05)]).toEqual([1, 0]);
});

test('a curve names the recipes that trained it, in their order', () => {
  const [labels, answers, hinton] = PRESETS.map(({ recipe }) => recipe);
  const curve = [labels!, answers!, answers!, hinton!].map((recipe, index) => {
    return { step: 20 * index, accuracy: 0.5, agreement: 0.5, recipe };
  });
  expect(historyOf(curve)).toBe('The teacher’s answers, then Hinton 2015');
  expect(historyOf(curve.slice(0, 1))).toBe(''); // no step has trained it
});

test('likeness names each digit that comes close to the second', () => {
  const shares = new Float32Array(10);
  shares.set([0.9, 0.06, 0, 0.04]);
  expect(likenessOf(shares)).toBe('a 0 that looks a lot like a 1 or a 3');
  expect(likenessOf(Float32Array.of(0, 0, 0, 0.7, 0, 0, 0, 0, 0.3, 0))).toBe(
    'a 3 that could as well be an 8',
  );
});
