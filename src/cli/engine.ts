/** Opening the lab under Node. */
import { fileURLToPath } from 'node:url';
import { DocumentError } from '$lib/documents/schema.ts';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { Lab } from '$lib/lab/lab.ts';
import { ModelError } from '$lib/model/index.ts';
import { UsageError } from './arguments.ts';

/** The folder that the site serves, which holds the embedded models. */
export const SITE = fileURLToPath(new URL('../../static', import.meta.url));
const BACKENDS = ['wasm', 'cpu', 'webgpu'];

export function readBackend(name: string | undefined): EngineInfo['backend'] {
	if (name === undefined) return 'wasm';
	if (!BACKENDS.includes(name)) throw new UsageError(`--backend must be one of ${BACKENDS.join(', ')}, not ${name}`);
	return name as EngineInfo['backend'];
}

/** Gives Node the WebGPU of browsers (Dawn). */
async function provideWebGpu(): Promise<void> {
	if (globalThis.navigator?.gpu) return;
	const { create, globals } = await import('webgpu');
	Object.assign(globalThis, globals);
	Object.defineProperty(globalThis, 'navigator', { value: { ...globalThis.navigator, gpu: create([]) }, configurable: true });
}

/** Loads the model that a document names; what is wrong with it is wrong with the document. */
export async function openLab(modelId: string, backend: EngineInfo['backend']): Promise<Lab> {
	if (backend === 'webgpu') await provideWebGpu();
	try {
		return await Lab.load(modelId, { backend, site: SITE });
	} catch (error) {
		if (error instanceof ModelError) throw new DocumentError('model', error.message);
		throw error;
	}
}
