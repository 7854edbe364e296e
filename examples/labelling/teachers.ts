import { readVLLM } from 'knowledge-distillation/teachers';
import { TeacherClient } from './client.js';
import { scoringRequest } from './completions.js';
import type { Corpus, Document } from './corpus.js';
import type { Labelling } from './labelling.js';
import { LanguageModel, MODEL } from './languageModel.js';

/** Classes of each row that are kept. */
export const KEPT = 32;

/** Answers a request in the form of vLLM; `model` is the name of the model. */
export interface Scorer {
  readonly model: string;
  score(prompt: ArrayLike<number>, k: number): Promise<unknown>;
}

/** The model in this process: what the server would answer, without a server. */
export function localScorer(corpus: Corpus): Scorer {
  const model = new LanguageModel(corpus);
  return {
    model: MODEL,
    score: async (prompt, k) => model.answer(scoringRequest(MODEL, prompt, k)),
  };
}

/** A server that speaks vLLM's protocol. */
export async function remoteScorer(url: string): Promise<Scorer> {
  const client = new TeacherClient({ url });
  const model = await client.model();
  return { model, score: (prompt, k) => client.score(model, prompt, k) };
}

/** `local`, or the address of a server. */
export function chooseScorer(teacher: string, corpus: Corpus): Promise<Scorer> {
  return teacher === 'local' ? Promise.resolve(localScorer(corpus)) : remoteScorer(teacher);
}

/** Documents of a corpus, labelled by a scorer. */
export function labelText(
  { words }: Corpus,
  documents: readonly Document[],
  { model, score }: Scorer,
): Labelling {
  return {
    store: { columns: words.length, k: KEPT, teacher: model },
    keys: documents.map(({ key }) => key),
    async label(document) {
      const { tokens } = documents[document]!;
      const response = await score(tokens, KEPT);
      const reply = readVLLM(response, { columns: words.length, k: KEPT });
      return { prompt: tokens.subarray(0, 1), ...reply };
    },
  };
}
