import '@fontsource/source-serif-4/latin-600.css';
import 'uplot/dist/uPlot.min.css';
import { effect, signal } from '@preact/signals';
import { hydrate } from 'preact';
import { App } from './app.js';
import { BLANK, type Drawing, sampleOf } from './drawing.js';
import { followColorScheme } from './palette.js';
import { rasterize } from './rasterize.js';
import { load, save } from './storage.js';
import { Trainer } from './trainer.js';

/** The digit on the pad before the first drawing. */
const FIRST_DIGIT = 3;

followColorScheme();
const trainer = new Trainer();
const drawing = signal<Drawing>(BLANK);
hydrate(<App trainer={trainer} drawing={drawing} />, document.getElementById('app')!);

const saved = await load();
if (saved.drawing) drawing.value = saved.drawing;
trainer.start(saved);

effect(() => trainer.ask(rasterize(drawing.value)));
effect(() => {
  const { facts } = trainer;
  if (facts.value && !saved.drawing && drawing.peek() === BLANK) {
    drawing.value = sampleOf(facts.value.samples, FIRST_DIGIT);
  }
});
let first = true;
effect(() => {
  const current = drawing.value;
  if (first) first = false;
  else save('drawing', current);
});
