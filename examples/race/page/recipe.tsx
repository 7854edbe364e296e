import type { JSX } from 'preact';
import { PRESETS } from './presets.js';
import type { AppProps } from './props.js';
import type { Race } from './race.js';
import { isSameRecipe } from './recipes.js';
import { Share } from './share.js';
import { Sliders } from './sliders.js';
import { save } from './storage.js';
import { WATCH } from './watch.js';

/** The taught student's recipe: presets, sliders, and a new student with it. */
export function RecipePanel(props: AppProps): JSX.Element {
  const { race } = props;
  const recipe = race.recipe.value;
  const chosen = PRESETS.find((preset) => isSameRecipe(preset.recipe, recipe));
  return (
    <section class="card recipe" aria-labelledby="recipe">
      <h2 id="recipe">How the second student learns</h2>
      <fieldset class="presets">
        <legend class="visually-hidden">Recipes</legend>
        {PRESETS.map((preset) => (
          <button
            key={preset.name}
            type="button"
            aria-pressed={preset === chosen}
            onClick={() => race.teach(preset.recipe)}
          >
            {preset.name}
          </button>
        ))}
      </fieldset>
      <p class="watch">{chosen ? WATCH[chosen.name] : 'Your own recipe.'}</p>
      <p class="applies">
        {race.students.taught.step.value > 0
          ? `A change applies to the student in training, from its next step on. A new student starts from nothing.`
          : 'The student starts with this recipe. You can change it at any time.'}
      </p>
      <div class="actions">
        <button type="button" class="again" onClick={() => trainNew(race)}>
          Train a new student
        </button>
        <Share {...props} />
      </div>
      <Sliders race={race} />
    </section>
  );
}

function trainNew(race: Race): void {
  race.trainNew();
  save('isPaused', false);
}
