import { signal } from '@preact/signals';
import { renderToString } from 'preact-render-to-string';
import { App } from './app.js';
import { BLANK } from './drawing.js';
import { Race } from './race.js';

/** Renders the page as it is before anything is loaded. */
export const html: string = renderToString(
  <App race={new Race()} drawing={signal(BLANK)} samples={signal(undefined)} />,
);
