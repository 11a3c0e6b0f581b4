/** What the cache room offers. */
export { ArmCache, type PromptNumbers } from './arm-cache.ts';
export { fullCacheBytes } from './bill.ts';
export { BY_HAND, cellStates } from './cells.ts';
export { lowRankCodec, type LowRankOptions } from './codecs/lowrank.ts';
export { uniformCodec, type UniformOptions } from './codecs/uniform.ts';
export * from './device/index.ts';
export type * from './types.ts';
