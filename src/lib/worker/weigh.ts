/** What a model would take here, in each format, worked out from its configuration and, where files are at hand, from their heads. */
import type { EngineInfo } from '$lib/documents/trace.ts';
import { checkpointOf } from '$lib/model/checkpoint.ts';
import { readConfig, type ModelConfig } from '$lib/model/config.ts';
import { memoryNeeded } from '$lib/model/memory.ts';
import { openModel, type OpenedModel } from '$lib/model/open.ts';
import { filesSource } from '$lib/model/source.ts';
import { bytesOf } from '$lib/model/stored.ts';
import { isSoftware } from '$lib/ops/index.ts';
import { FORMATS, judge, type Device, type Weighed } from '$lib/store/fits.ts';
import type { ModelFiles } from '$lib/store/store.ts';

export interface WeighRequest {
	/** config.json as JSON; or the files, of which only the head is read. */
	config?: unknown;
	files?: ModelFiles;
	backend?: EngineInfo['backend'];
	/** Rows of the batch, and tokens of prompt and generation. */
	rows: number;
	context: number;
}

export interface Weighing {
	device: Device;
	/** Facts of the configuration. */
	architecture: string;
	layers: number;
	heads: number;
	kvHeads: number;
	context: number;
	/** Formats that make a difference on this device, from the most exact to the smallest. */
	choices: Weighed[];
}

/** Throws ModelError when the model cannot be run at all, with the reason. */
export async function weigh(request: WeighRequest, gpu = globalThis.navigator?.gpu): Promise<Weighing> {
	const opened = (request.config ?? null) === null ? await openModel(filesSource('model', request.files ?? {})) : null;
	const stated = opened ? opened.config : request.config;
	const config = readConfig(stated);
	const device = await deviceOf(request.backend, gpu);
	const embedding = opened ? await embeddingOf(opened, config) : statedBytes(stated) * config.vocab * config.hidden;
	const plan = { rows: request.rows, context: Math.min(request.context, config.context), backend: device.backend, embedding };
	const { architecture, layers, heads, kvHeads, context } = config;
	return {
		device, architecture, layers, heads, kvHeads, context,
		choices: (device.backend === 'webgpu' ? FORMATS : FORMATS.slice(0, 1)).map((format) => {
			const need = memoryNeeded(config, format, plan);
			return { format, need, verdict: judge(need, device) };
		})
	};
}

/** Bytes of the embedding as it lies in the files. */
async function embeddingOf(opened: OpenedModel, config: ModelConfig): Promise<number> {
	const described = (await opened.tensors()).describe(checkpointOf(config).embedding);
	// A tensor that is missing or cannot be read is named when the model is loaded.
	const bytes = described ? bytesOf(described.dtype, described.shape) : null;
	return bytes && Number.isFinite(bytes) ? bytes : 2 * config.vocab * config.hidden;
}

/** Bytes of a number of the checkpoint that a config.json speaks of: most say that they hold halves. */
function statedBytes(stated: unknown): number {
	const { torch_dtype, dtype = torch_dtype } = stated as { torch_dtype?: unknown; dtype?: unknown };
	return dtype === 'float32' ? 4 : 2;
}

/** The device that `openBackend` would take. */
async function deviceOf(preferred: EngineInfo['backend'] | undefined, gpu: GPU | undefined): Promise<Device> {
	const gigabytes = (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory;
	const memory = gigabytes === undefined ? null : gigabytes * 2 ** 30;
	const adapter = preferred === undefined || preferred === 'webgpu' ? await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null) : null;
	if (!adapter || (preferred === undefined && isSoftware(adapter.info))) {
		return { backend: preferred === 'cpu' ? 'cpu' : 'wasm', maxBuffer: null, maxBinding: null, memory };
	}
	return { backend: 'webgpu', maxBuffer: adapter.limits.maxBufferSize, maxBinding: adapter.limits.maxStorageBufferBindingSize, memory };
}
