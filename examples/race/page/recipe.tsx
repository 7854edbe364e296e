import type { JSX } from 'preact';
import type { Recipe } from '../worker/protocol.js';
import { formatCount, formatPercent } from './format.js';
import type { Trainer } from './trainer.js';

type Component = keyof Recipe['weights'];

const COMPONENTS: readonly { name: Component; label: string; purpose: string }[] = [
  { name: 'response', label: 'Response', purpose: 'give the teacher’s answers' },
  { name: 'attention', label: 'Attention', purpose: 'look where the teacher looks' },
  { name: 'feature', label: 'Feature', purpose: 'see what the teacher sees inside' },
];
const WEIGHT_STEP = 5;

/** The settings of the loss, and the current share of each part. */
export function RecipePanel({ trainer }: { readonly trainer: Trainer }): JSX.Element {
  const recipe = trainer.recipe.value;
  const labelled = trainer.facts.value?.labelledImages;
  return (
    <section class="card recipe" aria-labelledby="recipe">
      <h2 id="recipe">The recipe</h2>
      <p class="hint">
        What the student is asked to do: each part by its share of the three. Change it at any time,
        also while it trains.
      </p>
      {COMPONENTS.map((component) => (
        <ComponentRow key={component.name} trainer={trainer} {...component} />
      ))}
      <p class="total">
        Loss <b data-testid="loss">{trainer.loss.value?.toFixed(3) ?? '–'}</b>
      </p>
      <Slider
        label="Temperature"
        purpose="higher: second guesses count more"
        min={1}
        max={10}
        step={0.5}
        value={recipe.temperature}
        shown={recipe.temperature.toFixed(1)}
        onChange={(temperature) => trainer.teach({ ...recipe, temperature })}
      />
      <Slider
        label="Labels (α)"
        purpose={`weight of the true label, on the ${labelled ? formatCount(labelled) : 'few'} images that have one`}
        min={0}
        max={1}
        step={0.05}
        value={recipe.alpha}
        shown={formatPercent(recipe.alpha, 0)}
        onChange={(alpha) => trainer.teach({ ...recipe, alpha })}
      />
    </section>
  );
}

interface ComponentRowProps {
  readonly trainer: Trainer;
  readonly name: Component;
  readonly label: string;
  readonly purpose: string;
}

function ComponentRow({ trainer, name, label, purpose }: ComponentRowProps): JSX.Element {
  const recipe = trainer.recipe.value;
  const { weights } = recipe;
  const sum = weights.response + weights.attention + weights.feature;
  const component = trainer.components.value.find((one) => one.name === name);
  const share = component && trainer.loss.value ? component.weighted / trainer.loss.value : 0;
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
        onChange={(weight) => trainer.teach({ ...recipe, weights: { ...weights, [name]: weight } })}
      />
      <p class="cost">
        <span class="track" aria-hidden="true">
          <span class="fill" style={{ transform: `scaleX(${share})` }} />
        </span>
        <span class="value" data-testid={`${name}-loss`}>
          {component && component.weight > 0
            ? `${component.loss.toFixed(3)} × ${component.weight.toFixed(2)} = ${component.weighted.toFixed(3)}`
            : '–'}
        </span>
      </p>
    </div>
  );
}

interface SliderProps {
  readonly label: string;
  readonly purpose: string;
  readonly min: number;
  /** The selectable range, if it is not the complete range. */
  readonly least?: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
  readonly shown: string;
  readonly onChange: (value: number) => void;
}

function Slider({ label, purpose, shown, onChange, least, ...range }: SliderProps): JSX.Element {
  const choose = (slider: HTMLInputElement): void => {
    slider.valueAsNumber = Math.max(slider.valueAsNumber, least ?? range.min);
    onChange(slider.valueAsNumber);
  };
  const id = `slider-${label.split(' ')[0]!.toLowerCase()}`;
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{shown}</output>
      <input
        id={id}
        type="range"
        {...range}
        aria-valuetext={shown}
        style={{ '--part': (range.value - range.min) / (range.max - range.min) }}
        aria-describedby={`${id}-purpose`}
        onInput={(event) => choose(event.currentTarget)}
      />
      <small id={`${id}-purpose`}>{purpose}</small>
    </div>
  );
}
