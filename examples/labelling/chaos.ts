import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../shared/random.js';
import { formatTable } from '../shared/table.js';
import { compareContents, contentsOf } from './contents.js';
import { labelInProcess } from './inProcess.js';
import { freePort, Service } from './processes.js';
import { openTextProject } from './text.js';

/**
 * Maximum number of kills in a round with a single process, which makes no progress under constant
 * kills.
 */
const ALONE = 15;
/** Milliseconds between two checks for the end of the labelling. */
const LOOK = 100;
/** Documents of a job: few, so that shards are written often. */
const SIZE = '4';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    documents: { type: 'string', default: '300' },
    /** Maximum milliseconds between two kills; a process starts in about two seconds. */
    pause: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
  },
});
const [kills, documents, pause] = [values.kills, values.documents, values.pause].map(Number) as [
  number,
  number,
  number,
];
const random = new Random(Number(values.seed), 'kills');
const killed = new Map<string, number>();
const folder = mkdtempSync(join(tmpdir(), 'labelling-'));
const running: Service[] = [];

try {
  const quiet = join(folder, 'quiet');
  const project = await openTextProject({ quick: false, seed: 1, teacher: 'local', documents });
  await labelInProcess('a quiet run', project.training, quiet, { concurrency: 4, size: 32 });
  const expected = await contentsOf(quiet);

  const rows: (string | number)[][] = [];
  let left = kills;
  while (left > 0) {
    const round = rows.length;
    const isFarm = round % 2 === 0;
    const place = join(folder, `round-${round}`);
    mkdirSync(place);
    const done = await (isFarm ? runFarm(place, left) : runAlone(place, Math.min(left, ALONE)));
    left -= done;
    const actual = await contentsOf(join(place, 'training'));
    const { lost, added, changed } = compareContents(expected, actual);
    rows.push([isFarm ? 'queue' : 'one process', done, actual.size, lost, added, changed]);
    if (lost + added + changed > 0) process.exitCode = 1;
    rmSync(place, { recursive: true });
  }
  console.log(
    formatTable(['labelling', 'kills', 'documents', 'lost', 'added', 'changed'], rows, 1),
  );
  console.log(`killed: ${[...killed].map(([name, count]) => `${name} ${count}`).join(', ')}`);
} finally {
  await Promise.all(running.map((service) => service.kill()));
  rmSync(folder, { recursive: true });
}

/**
 * Labels with a queue, a server and two workers, each of which may be killed. Returns the number of
 * kills.
 */
async function runFarm(place: string, kills: number): Promise<number> {
  const [redisPort, teacherPort] = [await freePort(), await freePort()];
  const teacher = ['--port', String(teacherPort), '--latency', '20', '--too-many', '0.01'];
  const faults = ['--broken', '0.02', '--dropped', '0.02', '--remember'];
  const farm = [
    ...argsFor(place),
    ...['--queue', `redis://127.0.0.1:${redisPort}`, '--lock', '1000'],
    ...['--teacher', `http://127.0.0.1:${teacherPort}`],
  ];
  const worker = [...farm, '--role', 'worker', '--concurrency', '2'];
  const producer = Service.script('producer', 'main.ts', farm);
  const others = [
    Service.redis(place, redisPort),
    Service.script('teacher', 'serve.ts', [...teacher, ...faults]),
    Service.script('worker', 'main.ts', worker),
    Service.script('worker', 'main.ts', worker),
  ];
  const done = await killUntilDone(producer, others, kills);
  await Promise.all(others.slice(2).map((service) => service.stop()));
  await Promise.all(others.slice(0, 2).map((service) => service.stop()));
  return done;
}

/** Labels in one process, which may be killed. Returns the number of kills. */
function runAlone(place: string, kills: number): Promise<number> {
  return killUntilDone(Service.script('one process', 'main.ts', argsFor(place)), [], kills);
}

function argsFor(place: string): string[] {
  return ['--folder', place, '--documents', String(documents), '--size', SIZE, '--no-training'];
}

/** Kills and restarts processes at random, until the first one has completed its work. */
async function killUntilDone(
  first: Service,
  others: readonly Service[],
  kills: number,
): Promise<number> {
  const services = [first, ...others];
  running.push(...services);
  let done = 0;
  let next = random.uniform() * pause;
  while (first.exitCode !== 0) {
    await setTimeout(LOOK);
    next -= LOOK;
    for (const service of services) {
      const { exitCode } = service;
      if (exitCode === undefined || (service === first && exitCode === 0)) continue;
      console.error(`${service.name} ended by itself with ${exitCode}`);
      service.restart();
    }
    if (next > 0 || done === kills || first.exitCode === 0) continue;
    const victim = services[random.below(services.length)]!;
    await victim.kill();
    victim.restart();
    killed.set(victim.name, (killed.get(victim.name) ?? 0) + 1);
    done++;
    next = random.uniform() * pause;
  }
  return done;
}
