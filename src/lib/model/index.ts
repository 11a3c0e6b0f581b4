/** The model: weights, tokenizer, forward pass, sampling. */
export { loadModel, loadTokenizer, type LoadedModel, type LoadOptions, type LoadProgress } from './load.ts';
export { readConfig, type ModelConfig } from './config.ts';
export { memoryNeeded, type MemoryNeeded, type MemoryPlan } from './memory.ts';
export { openModel, openTokenizer, type OpenedModel } from './open.ts';
export { filesSource, sourceOf, type ModelSource } from './source.ts';
export { applyChat, ChatTemplate, type ChatOptions, type Message } from './chat.ts';
export { ModelError } from './error.ts';
export { checkLength } from './decoder.ts';
export { modelFingerprint } from './fingerprint.ts';
export { PlainMemory } from './plain-memory.ts';
export { Tokenizer } from './tokenizer.ts';
export { argmax, sampleToken, type Sampling } from './sampling.ts';
export type { Decoder, DecoderOutput, LayerInput, Memory, Pass } from './types.ts';
