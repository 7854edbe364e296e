import '@fontsource/source-serif-4/latin-600.css';
import 'uplot/dist/uPlot.min.css';
import { effect, signal } from '@preact/signals';
import { hydrate } from 'preact';
import { keepForOffline } from '../../../docs/site/offline/keep.js';
import { App } from './app.js';
import { steer } from './autopilot.js';
import { BLANK, type Drawing, sampleOf } from './drawing.js';
import { loadSamples } from './files.js';
import { readLink, writeLink } from './link.js';
import { followColorScheme } from './palette.js';
import { Race } from './race.js';
import { rasterize } from './rasterize.js';
import { load, save } from './storage.js';

/** The digit on the pad before the first drawing: the students differ on it after a lap. */
const FIRST_DIGIT = 5;
/** Milliseconds for which the drawing must rest before the address follows. */
const REST = 300;

followColorScheme();
const race = new Race();
const drawing = signal<Drawing>(BLANK);
const samples = signal<readonly Float32Array[] | undefined>(undefined);
hydrate(<App race={race} drawing={drawing} samples={samples} />, document.getElementById('app')!);

const [saved, digits] = await Promise.all([load(), loadSamples()]);
const link = readLink(location.hash, digits);
// The saved drawing is finer than the one of its link.
const isOwn = location.hash === writeLink({ recipe: race.recipe.value, ...saved });
samples.value = digits;
if (drawing.peek() === BLANK) {
  drawing.value =
    (isOwn ? undefined : link.drawing) ?? saved.drawing ?? sampleOf(digits, FIRST_DIGIT);
}
race.start(saved, link.recipe);
effect(() => race.ask(rasterize(drawing.value)));
effect(() => save('drawing', drawing.value));
effect(() => {
  const hash = writeLink({ recipe: race.recipe.value, drawing: drawing.value });
  // Once the pen rests: browsers allow few changes of the address in a second.
  const timer = setTimeout(() => history.replaceState(null, '', hash), REST);
  return () => clearTimeout(timer);
});
steer(race, saved.isPaused ?? false);
effect(() => {
  if (race.facts.value) keepForOffline('../');
});
// A link that is opened in this tab: everything that it does not hold is saved.
addEventListener('hashchange', () => location.reload());
