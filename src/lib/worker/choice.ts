import type { EngineChoice } from '$lib/lab/lab.ts';

const BACKENDS = ['webgpu', 'wasm', 'cpu'] as const;

/**
 * The engine that an address asks for, e.g. `?backend=webgpu` to take a software adapter all the same.
 * Anything else than webgpu, wasm or cpu leaves the choice to the engine.
 */
export function engineInAddress(search = globalThis.location?.search ?? ''): EngineChoice {
	const backend = BACKENDS.find((name) => name === new URLSearchParams(search).get('backend'));
	return backend ? { backend } : {};
}
