// The entry point for replies of servers together with the main one, on a reply as JSON. See
// ../tarball.check.ts.
import { DistillationError, Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
import { readVLLM, type TeacherReply } from 'knowledge-distillation/teachers';

const response = JSON.parse(`{
  "choices": [{
    "prompt_token_ids": [1, 2],
    "prompt_logprobs": [null, { "2": { "logprob": -0.5, "rank": 1, "decoded_token": "a" } }]
  }]
}`);
const { targets, tokens, studentRows }: TeacherReply = readVLLM(response, { columns: 4 });
if (tokens[0] !== 2 || studentRows[0] !== 0) throw new Error('the rows do not fit');

const strategy = new ResponseDistillationStrategy({ temperature: 1 });
const loss = strategy.computeLoss(Matrix.zeros(1, 4), targets, tokens);
if (!(loss > 0)) throw new Error(`the loss is ${loss}`);

try {
  readVLLM(response, { columns: 2 });
  throw new Error('a token of another vocabulary was read');
} catch (error) {
  if (!(error instanceof DistillationError)) throw error;
}
