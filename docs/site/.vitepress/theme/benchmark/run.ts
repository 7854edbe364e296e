import type { Report } from './result.js';
import type { Settings } from './settings.js';

/** Starts the benchmark in a worker. Returns a function that ends it. */
export function startRun(settings: Settings, receive: (report: Report) => void): () => void {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const stop = () => worker.terminate();
  worker.onmessage = ({ data }: MessageEvent<Report>) => {
    if ('failed' in data || data.step === undefined) stop();
    receive(data);
  };
  worker.onerror = ({ message }) => {
    stop();
    receive({ failed: message || 'the worker could not be loaded' });
  };
  worker.postMessage(settings);
  return stop;
}
