/** Models that are not part of the site: where they come from, where they are kept, whether they fit. */
export type { Plan } from './hub.ts';
export { HUB, hubIdFrom, modelName, readModelId, type ModelId } from './model-id.ts';
export { lockName, webLocks, type Locks } from './locks.ts';
export { modelOfFiles } from './files.ts';
export { openStore } from './open.ts';
export type { DownloadProgress, KeptModel, ModelFiles, Space, Store } from './store.ts';
export { CURATED, type CuratedModel } from './curated.ts';
