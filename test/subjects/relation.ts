import type { Subjects } from './subjects.js';

export const relationSubjects: Subjects = {};
