// The process of a test: appends texts to the store in its argument until it is done or killed.

import { createTeacherStore } from '../../src/store/index.js';
import { KILLED_OPTIONS, killedSequence, TEXTS } from './killedTexts.js';

const [, , folder, writer] = process.argv;
const store = await createTeacherStore(folder!, { ...KILLED_OPTIONS, writer });
console.log('open');
for (let i = 0; i < TEXTS; i++) await store.append(`text-${i}`, killedSequence(i));
await store.close();
console.log('done');
