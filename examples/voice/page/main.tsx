import '@fontsource/source-serif-4/latin-600.css';
import 'uplot/dist/uPlot.min.css';
import { hydrate } from 'preact';
import { Listening } from './listening.js';
import { App } from './view/app.js';

const listening = new Listening();
hydrate(<App listening={listening} />, document.getElementById('app')!);
await listening.start();
