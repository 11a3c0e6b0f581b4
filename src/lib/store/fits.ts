/** Whether a model fits this machine, before anything of it is fetched or loaded; and what would. Pure. */
import type { MemoryNeeded } from '$lib/model/memory.ts';
import type { WeightFormat } from '$lib/ops/index.ts';

/** What is known of the machine; null where the browser does not say. Bytes. */
export interface Device {
	backend: 'webgpu' | 'wasm' | 'cpu';
	/** Largest buffer, and largest part of one that a kernel may bind. */
	maxBuffer: number | null;
	maxBinding: number | null;
	/** Memory of the whole machine, rounded by the browser, which also names no more than `memoryCap`. */
	memory: number | null;
}

/** Browsers do not tell more than this of a machine's memory, so it may be more. */
const MEMORY_CAP = 8 * 2 ** 30;
/** WebAssembly addresses 32 bits. */
const WASM_MOST = 4 * 2 ** 30;

export type Verdict =
	| { fits: true; /** It may fail all the same: it takes most of what there is. */ tight: boolean }
	| { fits: false; why: Limit; needs: number; has: number };
/** Which limit is passed: one tensor over what the graphics device takes, or all of it over the memory. */
export type Limit = 'tensor' | 'wasm' | 'memory';

export function judge(need: MemoryNeeded, device: Device): Verdict {
	const tensor = Math.min(device.maxBuffer ?? Infinity, device.maxBinding ?? Infinity);
	if (device.backend === 'webgpu' && need.largest > tensor) return { fits: false, why: 'tensor', needs: need.largest, has: tensor };
	if (device.backend === 'wasm' && need.total > WASM_MOST) return { fits: false, why: 'wasm', needs: need.total, has: WASM_MOST };
	const known = device.memory !== null && device.memory < MEMORY_CAP ? device.memory : null;
	if (known !== null && need.total > known) return { fits: false, why: 'memory', needs: need.total, has: known };
	const most = Math.min(known ?? Infinity, device.backend === 'wasm' ? WASM_MOST : Infinity);
	return { fits: true, tight: need.total > most / 2 };
}

export interface Weighed {
	format: WeightFormat;
	need: MemoryNeeded;
	verdict: Verdict;
}

/** From the most exact to the smallest. */
export const FORMATS: readonly WeightFormat[] = ['f32', 'f16', 'int8', 'int4'];

/** The first format of `choices` that fits; null when none does. */
export function smallerChoice(choices: readonly Weighed[], than: WeightFormat): Weighed | null {
	const after = choices.filter(({ format }) => FORMATS.indexOf(format) > FORMATS.indexOf(than));
	return after.find(({ verdict }) => verdict.fits) ?? null;
}

/** Whether `bytes` more can be stored; true where the browser does not say. */
export function hasRoom(bytes: number, { used, quota }: { used: number | null; quota: number | null }): boolean {
	return used === null || quota === null || bytes <= quota - used;
}
