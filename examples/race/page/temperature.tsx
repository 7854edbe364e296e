import type { JSX } from 'preact';
import { hearsTeacher } from './describe.js';
import type { Race } from './race.js';
import { Slider } from './slider.js';

/** The temperature at which the taught student is told the teacher's answer. */
export function Temperature({ race }: { readonly race: Race }): JSX.Element {
  const recipe = race.recipe.value;
  const { weights, temperature } = recipe;
  return (
    <Slider
      label="Temperature"
      purpose={
        hearsTeacher(recipe)
          ? 'higher: second guesses count more'
          : `no effect: ${weights.response > 0 ? 'only labels are used' : 'Response is 0'}`
      }
      isWithoutEffect={!hearsTeacher(recipe)}
      min={1}
      max={10}
      step={0.5}
      value={temperature}
      shown={temperature.toFixed(1)}
      onChange={(chosen) => race.teach({ ...recipe, temperature: chosen })}
    />
  );
}
