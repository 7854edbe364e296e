import { type Lesson, type Method, teach } from '../shared/training.js';
import { type Corpus, LANGUAGE_NAMES, loadMessages } from './messages.js';
import { featuresOf, LinearStudent } from './student.js';
import { askTeacher } from './teacher.js';

/** A corpus, with the student's features and the teacher's outputs for each sentence. */
export interface SentenceLesson extends Corpus, Lesson {}

export function prepareLesson(messages: number): SentenceLesson {
  const corpus = loadMessages(messages);
  return {
    ...corpus,
    features: corpus.texts.map(featuresOf),
    teacherLogits: askTeacher(corpus.texts),
  };
}

/** Trains a student on the sentences `training`. */
export function teachStudent(
  method: Method,
  lesson: Lesson,
  training: Int32Array,
  steps: number,
  seed: number,
): LinearStudent {
  const student = new LinearStudent(LANGUAGE_NAMES.length);
  teach(student, method, lesson, training, { steps, batch: 64, learningRate: 0.05 }, seed);
  return student;
}
