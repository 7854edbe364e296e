import { parseArgs } from 'node:util';
import { LanguageModel } from './languageModel.js';
import { TeacherServer } from './server.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8000' },
    latency: { type: 'string', default: '0' },
    'too-many': { type: 'string', default: '0' },
    broken: { type: 'string', default: '0' },
    dropped: { type: 'string', default: '0' },
    remember: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
const { url } = await TeacherServer.start(LanguageModel.ofBook(), Number(values.port), {
  latency: Number(values.latency),
  tooMany: Number(values['too-many']),
  broken: Number(values.broken),
  dropped: Number(values.dropped),
  remember: values.remember,
  seed: Number(values.seed),
});
console.log(`the teacher answers at ${url}`);
