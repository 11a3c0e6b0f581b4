/** The device's working copy of caches, and the memories that the decoder reads. */
export { DeviceMemory, type Attending, type PassKind, type PassWants } from './memory.ts';
export { Captured, PrefillMemory, type CaptureNeeds, type LayerCapture } from './prefill.ts';
export { Seen } from './seen.ts';
