/** The device's working copy of caches, and the memories that the decoder reads. */
export { DeviceMemory, type MemoryOptions } from './memory.ts';
export type { Attending, PassKind, PassWants } from './pass.ts';
export { Captured, PrefillMemory, type CaptureNeeds, type LayerCapture } from './prefill.ts';
export { Seen } from './seen.ts';
