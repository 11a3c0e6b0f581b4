/** Our operations. One folder an op; each runs on webgpu, wasm and cpu under one kernel name. */
export { openBackend, isSoftware, type Preferred } from './backend.ts';
export { deviceErrors, onDeviceLost, throwDeviceErrors } from './errors.ts';
export { PROFILES, profile, setProfile, type Profile } from './profile.ts';
export { allocate, persistent, persistentFrom, read, releaseFreed, uploaded, write, hostView, type Numbers } from './buffers.ts';
export { dispatchCount } from './program.ts';
export { readMany, type Piece } from './read-many.ts';
export { Scatter } from './scatter/index.ts';
export { traffic } from './traffic.ts';
export { rmsNorm } from './rms-norm/index.ts';
export { layerNorm } from './layer-norm/index.ts';
export { joinHeads, rope, rotation, splitAllHeads, splitHeads, type AllHeadsLayout, type HeadsLayout, type Rotation } from './heads/index.ts';
export { appendSlots } from './append-slots/index.ts';
export { attention, attentionTogether, type AttentionOptions, type AttentionResult } from './attention/index.ts';
export { attentionPacked, PackedPool, type PackedFormat, type PackedSegment } from './attention-packed/index.ts';
export { mergeSummary, type SummaryTensors } from './merge-summary/index.ts';
export {
	fittingFormat, makeWeight, makeWeightFromRows, matMul, matMulSwiGlu, readWeight, transposed, type Added, type Rows, type Weight, type WeightFormat
} from './mat-mul/index.ts';
export { swiGlu } from './swi-glu/index.ts';
export { gelu } from './gelu/index.ts';
export { gatherSlots } from './gather-slots/index.ts';
export { topK } from './top-k/index.ts';
