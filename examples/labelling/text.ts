import { readVLLM, type VLLMResponse } from 'knowledge-distillation/teachers';
import { formatTable } from '../shared/table.js';
import { TeacherClient } from './client.js';
import { scoringRequest } from './completions.js';
import { type Corpus, type Document, makeCorpus, readBook } from './corpus.js';
import type { Labelling } from './labelling.js';
import { LanguageModel, MODEL } from './languageModel.js';
import { METHODS } from './methods.js';
import type { Project, ProjectSettings } from './project.js';
import { judge, trainStudent } from './training.js';

/** Number of classes that are kept of each row: vLLM's maximum without `--max-logprobs`. */
const KEPT = 20;

/** Returns log-probabilities of the tokens of a prompt, in the form of vLLM. */
interface Scorer {
  readonly model: string;
  score(prompt: ArrayLike<number>, k: number): Promise<unknown>;
}

/** Passages of a novel, scored by a language model in this process or behind an address. */
export async function openTextProject(settings: ProjectSettings): Promise<Project> {
  const { quick, seed, teacher, documents } = settings;
  const corpus = makeCorpus(readBook());
  const scorer = teacher === 'local' ? localScorer(corpus) : await remoteScorer(teacher);
  const heldOut = corpus.heldOut.slice(0, quick ? 40 : undefined);
  const size = quick
    ? { context: 2, embedding: 16, hidden: 16 }
    : { context: 3, embedding: 32, hidden: 48 };
  const pace = { epochs: quick ? 1 : 3, rows: 256, learningRate: 0.005 };
  return {
    training: labelText(corpus, corpus.training.slice(0, documents), scorer),
    heldOut: labelText(corpus, heldOut, scorer),
    async learn(training, heldOut) {
      const rows: [string, string, string][] = [];
      for (const method of METHODS) {
        const student = await trainStudent(method, training, size, pace, seed);
        const { crossEntropy, agreement } = await judge(student, heldOut);
        rows.push([method.name, crossEntropy.toFixed(3), `${(100 * agreement).toFixed(1)} %`]);
      }
      const head = ['student', 'held-out cross-entropy, nats a word', 'agreement with the teacher'];
      return formatTable(head, rows);
    },
  };
}

/** Scores by the model in this process; the results are those of the server. */
function localScorer(corpus: Corpus): Scorer {
  const model = new LanguageModel(corpus);
  return {
    model: MODEL,
    score: async (prompt, k) => model.answer(scoringRequest(MODEL, prompt, k)),
  };
}

async function remoteScorer(url: string): Promise<Scorer> {
  const client = new TeacherClient({ url, apiKey: process.env.TEACHER_API_KEY });
  const model = await client.model();
  return { model, score: (prompt, k) => client.score(model, prompt, k) };
}

/** Returns a labelling of documents by a scorer. */
function labelText(
  { words }: Corpus,
  documents: readonly Document[],
  { model, score }: Scorer,
): Labelling {
  const columns = words.length;
  return {
    store: { columns, k: KEPT, teacher: model },
    keys: documents.map(({ key }) => key),
    async label(document) {
      const { tokens } = documents[document]!;
      const response = (await score(tokens, KEPT)) as VLLMResponse;
      return { prompt: tokens.subarray(0, 1), ...readVLLM(response, { columns, k: KEPT }) };
    },
  };
}
