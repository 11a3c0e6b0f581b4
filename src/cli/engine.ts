/** Opening the lab under Node. */
import { fileURLToPath } from 'node:url';
import { DocumentError } from '$lib/documents/schema.ts';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { Lab } from '$lib/lab/lab.ts';
import { ModelError } from '$lib/model/index.ts';
import type { WeightFormat } from '$lib/ops/index.ts';
import { installWebGpu } from '$lib/ops/node-webgpu.ts';
import { UsageError } from './arguments.ts';
import { modelIdOf } from './model.ts';

/** The folder that the site serves, which holds the embedded models. */
export const SITE = fileURLToPath(new URL('../../static', import.meta.url));
const BACKENDS = ['wasm', 'cpu', 'webgpu'];
const WEIGHTS = ['f32', 'f16', 'int8', 'int4'];

export function readBackend(name: string | undefined): EngineInfo['backend'] {
	if (name === undefined) return 'wasm';
	if (!BACKENDS.includes(name)) throw new UsageError(`--backend must be one of ${BACKENDS.join(', ')}, not ${name}`);
	return name as EngineInfo['backend'];
}

export function readWeights(name = 'f32'): WeightFormat {
	if (!WEIGHTS.includes(name)) throw new UsageError(`--weights must be one of ${WEIGHTS.join(', ')}, not ${name}`);
	return name as WeightFormat;
}

/** Loads the model that a document names; what is wrong with it is wrong with the document. */
export async function openLab(modelId: string, backend: EngineInfo['backend'], weights: WeightFormat = 'f32'): Promise<Lab> {
	if (backend === 'webgpu' && !globalThis.navigator?.gpu) await installWebGpu();
	try {
		return await Lab.load(modelIdOf(modelId), { backend, site: SITE, weights });
	} catch (error) {
		if (error instanceof ModelError) throw new DocumentError('model', error.message);
		throw error;
	}
}
