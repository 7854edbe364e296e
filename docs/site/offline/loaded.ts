// The files that a page's web workers have loaded: only a worker itself knows them.

const CHANNEL = 'loaded files';
const QUESTION = 'which?';

/** In a web worker: tells a page that asks which files the worker has loaded. */
export function answerPages(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data !== QUESTION) return;
    const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
    channel.postMessage([self.location.href, ...loaded]);
  };
}

let channel: BroadcastChannel | undefined;

/** In a page: calls `use` with the files of each web worker that answers. */
export function askWorkers(use: (files: readonly string[]) => void): void {
  channel ??= new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (Array.isArray(data)) use(data);
  };
  channel.postMessage(QUESTION);
}
