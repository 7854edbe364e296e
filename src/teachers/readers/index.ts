/**
 * Readers of the replies of inference servers. A reply becomes `SparseTargets`, tokens, and the
 * rows of the student that predict the tokens. The readers have no dependencies.
 *
 * @module knowledge-distillation/teachers
 */

export type {
  DistillKitConfig,
  DistillKitDtype,
  DistillKitLegacyConfig,
} from './distillKit/config.js';
export {
  type DistillKitOptions,
  type DistillKitRow,
  readDistillKit,
} from './distillKit/distillKit.js';
export { type LlamaCppResponse, readLlamaCpp } from './llamaCpp.js';
export { type OllamaResponse, readOllama } from './ollama.js';
export {
  type OpenAIBatchLine,
  type OpenAIOptions,
  type OpenAIResponse,
  readOpenAI,
} from './openAI.js';
export type { CompletionReaderOptions, ReaderOptions, TeacherReply } from './reply.js';
export type { GeneratedToken, ScoredToken, TokenId, TokenIdOptions } from './scoredTokens.js';
export {
  readSGLang,
  type SGLangOptions,
  type SGLangResponse,
  type SGLangToken,
} from './sglang.js';
export { readTRL, type TRLLists, type TRLOptions, type TRLResponse } from './trl.js';
export {
  readVLLM,
  type VLLMLogprob,
  type VLLMOptions,
  type VLLMPromptLogprobs,
  type VLLMResponse,
} from './vllm.js';
