import '@fontsource/source-serif-4/latin-600.css';
import 'uplot/dist/uPlot.min.css';
import { clips, weights, worklet } from 'virtual:assets';
import { hydrate } from 'preact';
import { keepForOffline } from '../../../docs/site/offline/keep.js';
import { Listening } from './listening.js';
import { App } from './view/app.js';

const listening = new Listening();
hydrate(<App listening={listening} />, document.getElementById('app')!);
await listening.start();
// The worklet is loaded with the microphone, and a clip when it plays.
keepForOffline('../', [worklet.url, weights.url, ...clips.map(({ url }) => url)]);
