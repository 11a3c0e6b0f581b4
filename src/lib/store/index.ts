/** Models that are not part of the site: where they come from, where they are kept, whether they fit. */
export { blobSource, type ModelFiles } from './blobs.ts';
export type { Plan } from './hub.ts';
export { HUB, hubIdFrom, modelName, readModelId, type ModelId } from './model-id.ts';
export { lockName, webLocks, type Locks } from './locks.ts';
export { modelOfFiles } from './files.ts';
export { openStore } from './open.ts';
export type { DownloadProgress, KeptModel, Space, Store } from './store.ts';
