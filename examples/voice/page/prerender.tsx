import { renderToString } from 'preact-render-to-string';
import { Listening } from './listening.js';
import { App } from './view/app.js';

/** Renders the page as it is before anything is loaded. */
export const html: string = renderToString(<App listening={new Listening()} />);
