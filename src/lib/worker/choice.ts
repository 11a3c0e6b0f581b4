import type { EngineChoice } from '$lib/lab/lab.ts';

const BACKENDS = ['webgpu', 'wasm', 'cpu'] as const;
const PROFILES = ['gpu', 'software'] as const;

/**
 * The engine that an address asks for, e.g. `?backend=webgpu` to take a software adapter all the same, or
 * `?profile=gpu` for the kernels of graphics hardware. Anything else than webgpu, wasm or cpu, gpu or
 * software leaves the choice to the engine.
 */
export function engineInAddress(search = globalThis.location?.search ?? ''): EngineChoice {
	const asked = new URLSearchParams(search);
	const backend = BACKENDS.find((name) => name === asked.get('backend'));
	const profile = PROFILES.find((name) => name === asked.get('profile'));
	return { ...(backend ? { backend } : {}), ...(profile ? { profile } : {}) };
}
