import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { formatPercent } from '../../shared/page/format.js';
import { RESULTS } from '../results.js';
import type { Recipe } from '../worker/protocol.js';
import { overlapsWithTeacher } from './attention.js';
import { formatCount } from './format.js';
import type { Race } from './race.js';
import { Slider } from './slider.js';

type Component = keyof Recipe['weights'];

const COMPONENTS: readonly { name: Component; label: string; purpose: string }[] = [
  { name: 'response', label: 'Response', purpose: 'give the teacher’s answers' },
  { name: 'attention', label: 'Attention', purpose: 'look where the teacher looks' },
  { name: 'feature', label: 'Feature', purpose: 'see what the teacher sees inside' },
];
const WEIGHT_STEP = 5;
const NARROW = '(max-width: 34rem)';

/** The settings of the loss one by one, with the share of each part in the present loss. */
export function Sliders({ race }: { readonly race: Race }): JSX.Element {
  const details = useRef<HTMLDetailsElement>(null);
  useLayoutEffect(() => {
    details.current!.open = !matchMedia(NARROW).matches;
  }, []);
  const student = race.students.taught;
  const recipe = student.recipe.value;
  const { labelledImages } = race.facts.value ?? RESULTS.facts;
  const hasResponse = recipe.weights.response > 0;
  return (
    <details ref={details} open>
      <summary>Mix your own</summary>
      <div class="sliders">
        <Mix recipe={recipe} />
        {COMPONENTS.map((component) => (
          <ComponentRow key={component.name} race={race} {...component} />
        ))}
        <p class="total">
          Loss <b data-testid="loss">{student.loss.value?.toFixed(3) ?? '–'}</b>
        </p>
        <Slider
          label="Labels (α)"
          purpose={
            hasResponse
              ? `weight of the true label, on the ${formatCount(labelledImages)} images that have one`
              : 'no effect: Response is 0'
          }
          isWithoutEffect={!hasResponse}
          min={0}
          max={1}
          step={0.05}
          value={recipe.alpha}
          shown={formatPercent(recipe.alpha, 0)}
          onChange={(alpha) => race.teach({ ...recipe, alpha })}
        />
        <Images race={race} />
      </div>
    </details>
  );
}

/** The shares of the parts in one bar. */
function Mix({ recipe: { weights } }: { readonly recipe: Recipe }): JSX.Element {
  return (
    <div class="mix" aria-hidden="true">
      {COMPONENTS.filter(({ name }) => weights[name] > 0).map(({ name }) => (
        <span key={name} class={name} style={{ flexGrow: weights[name] }} />
      ))}
    </div>
  );
}

interface ComponentRowProps {
  readonly race: Race;
  readonly name: Component;
  readonly label: string;
  readonly purpose: string;
}

function ComponentRow({ race, name, label, purpose }: ComponentRowProps): JSX.Element {
  const student = race.students.taught;
  const recipe = student.recipe.value;
  const { weights } = recipe;
  const sum = weights.response + weights.attention + weights.feature;
  const component = student.components.value.find((one) => one.name === name);
  return (
    <div class={`component ${name}`}>
      <Slider
        label={label}
        purpose={purpose}
        min={0}
        least={sum === weights[name] ? WEIGHT_STEP : 0} // the sum of all weights must stay positive
        max={100}
        step={WEIGHT_STEP}
        value={weights[name]}
        shown={formatPercent(weights[name] / sum, 0)}
        onChange={(weight) => race.teach({ ...recipe, weights: { ...weights, [name]: weight } })}
      >
        {name === 'attention' && <Overlap race={race} />}
        <span class="value" data-testid={`${name}-loss`}>
          {component && component.weight > 0 && weights[name] > 0
            ? `${component.loss.toFixed(3)} × ${component.weight.toFixed(2)} = ${component.weighted.toFixed(3)}`
            : '–'}
        </span>
      </Slider>
    </div>
  );
}

/** The fraction of the student's attention that lies where the teacher's does. */
function Overlap({ race }: { readonly race: Race }): JSX.Element {
  const overlaps = overlapsWithTeacher(race, 'taught');
  const mean = overlaps && overlaps.reduce((sum, one) => sum + one, 0) / overlaps.length;
  return (
    <span>
      overlap <b data-testid="overlap">{mean === undefined ? '–' : formatPercent(mean, 0)}</b>
    </span>
  );
}

function Images({ race }: { readonly race: Race }): JSX.Element {
  const recipe = race.recipe.value;
  const facts = race.facts.value ?? RESULTS.facts;
  const choices = [
    ['all', `all ${formatCount(facts.images)} images`],
    ['labelled', `the ${formatCount(facts.labelledImages)} labelled ones`],
  ] as const;
  return (
    <fieldset class="images">
      <legend>Learns from</legend>
      {choices.map(([images, label]) => (
        <label key={images}>
          <input
            type="radio"
            name="images"
            checked={recipe.images === images}
            onChange={() => race.teach({ ...recipe, images })}
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}
