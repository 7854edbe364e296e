import { parseOptions, run } from '../shared/commandLine.js';
import { LanguageModel } from './languageModel.js';
import { TeacherServer } from './server.js';

const fraction = { type: 'string', default: '0' } as const;
const OPTIONS = {
  port: { type: 'string', default: '8000', about: 'port' },
  host: { type: 'string', default: '127.0.0.1', about: 'address; 0.0.0.0 for other machines' },
  latency: { type: 'string', default: '0', about: 'ms of a request beside the model' },
  'too-many': { ...fraction, about: 'fraction of requests answered by 429' },
  broken: { ...fraction, about: 'fraction of requests answered by 500' },
  dropped: { ...fraction, about: 'fraction of connections that are cut' },
  remember: { type: 'boolean', default: false, about: 'cache the answers' },
  seed: { type: 'string', default: '1', about: 'seed of the failures' },
} as const;

await run(async () => {
  const values = parseOptions(OPTIONS);
  const faults = {
    latency: Number(values.latency),
    tooMany: Number(values['too-many']),
    broken: Number(values.broken),
    dropped: Number(values.dropped),
    remember: values.remember,
    seed: Number(values.seed),
  };
  const model = LanguageModel.ofBook();
  const { url } = await TeacherServer.start(model, Number(values.port), faults, values.host);
  console.log(`the teacher answers at ${url}`);
});
