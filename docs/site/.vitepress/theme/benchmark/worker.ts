// Runs the benchmark, so that the page stays alive. Stopping it means ending this worker.

import { ALPHA, TEMPERATURE } from '../../../../../bench/problem.js';
import { contest, makeWork, ROUNDS } from './contest.js';
import { LOADERS } from './contestants/loaders.js';
import { ENTRIES, KEYS } from './entries.js';
import { describeMachine } from './machine.js';
import type { Group, Report } from './result.js';
import { nameOf, type Settings } from './settings.js';

addEventListener('message', async ({ data }: MessageEvent<Settings>) => {
  try {
    await measure(data, (report) => postMessage(report));
  } catch (error) {
    postMessage({ failed: String(error) } satisfies Report);
  }
});

async function measure(settings: Settings, send: (report: Report) => void): Promise<void> {
  const { sizes, hasLabels } = settings;
  const head = {
    date: new Date().toISOString(),
    machine: await describeMachine(),
    temperature: TEMPERATURE,
    ...(hasLabels && { alpha: ALPHA }),
  };
  const groups: Group[] = [];
  const contestants = KEYS.map((key) => ({ ...ENTRIES[key], load: LOADERS[key] }));
  const steps = sizes.length * (contestants.length + ROUNDS);
  let taken = 0;
  for (const size of sizes) {
    const group = await contest(contestants, makeWork(size, settings), (partial, step) => {
      const result = { ...head, groups: [...groups, partial] };
      send({ result, step: `${nameOf(size)}: ${step}`, done: taken++ / steps });
    });
    groups.push(group);
  }
  send({ result: { ...head, groups }, done: 1 });
}
