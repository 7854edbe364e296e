/**
 * Readers of what inference servers put out: replies become {@link SparseTargets}, tokens, and the
 * rows of the student that predict them. No reader needs a dependency.
 *
 * @module knowledge-distillation/teachers
 */

export type { ReaderOptions, TeacherReply } from './reply.js';
export {
  readVLLM,
  type VLLMLogprob,
  type VLLMOptions,
  type VLLMPromptLogprobs,
  type VLLMResponse,
} from './vllm.js';
