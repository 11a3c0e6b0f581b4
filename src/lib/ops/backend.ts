/**
 * Opens TensorFlow.js on the best backend that is really there: hardware WebGPU, then wasm, then
 * cpu. A software WebGPU adapter is slower than wasm, so it is used only when asked for by name.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { isSoftware, type AdapterInfo } from './adapter.ts';
import { isLost, watch } from './errors.ts';
import { suggestProfile } from './profile.ts';

export { isSoftware } from './adapter.ts';

export type Preferred = EngineInfo['backend'];

/**
 * Opens a backend: the one asked for, or the best. When WebGPU is there but in software, wasm is
 * taken and `software` says why. Throws an Error in plain words when a named backend cannot be had.
 */
export async function openBackend(preferred?: Preferred): Promise<EngineInfo> {
	tf.enableProdMode();
	if (preferred === 'cpu') return openCpu();
	if (preferred === 'wasm') return openWasm();
	if (preferred === 'webgpu') {
		if (inNode && !hasWebGpu()) await (await import('./node-webgpu.ts')).installWebGpu().catch(() => {});
		const adapter = await findAdapter();
		const info = adapter && (await openWebGpu(adapter));
		if (info) return info;
		throw new Error('WebGPU was asked for, but this browser or machine offers no adapter. Choose wasm instead.');
	}
	const adapter = await findAdapter();
	if (adapter && !isSoftware(adapter.info)) {
		const info = await openWebGpu(adapter).catch(() => null);
		if (info) return info;
	}
	const fallback = await openWasm().catch(() => openCpu());
	if (!adapter || !isSoftware(adapter.info)) return fallback;
	return { ...fallback, adapter: `${fallback.adapter}; WebGPU here is software (${words(adapter.info)})`, software: true };
}

const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined && typeof window === 'undefined';

function hasWebGpu(): boolean {
	return typeof navigator !== 'undefined' && navigator.gpu !== undefined;
}

async function findAdapter(): Promise<GPUAdapter | null> {
	return hasWebGpu() ? navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null) : null;
}

function words({ description, vendor, architecture }: AdapterInfo): string {
	return description || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
}

async function openWebGpu(adapter: GPUAdapter): Promise<EngineInfo | null> {
	// Imported here: the module looks for navigator.gpu when it is loaded, and pages rendered ahead have none.
	await import('@tensorflow/tfjs-backend-webgpu');
	forgetLostDevice();
	const known = tf.engine().registryFactory['webgpu'] !== undefined;
	if (!known || !(await tf.setBackend('webgpu'))) return null;
	const { device } = tf.backend() as unknown as WebGPUBackend;
	if (!watched.has(device)) {
		watched.add(device);
		watch(device);
	}
	const software = isSoftware(adapter.info);
	suggestProfile(software);
	return { backend: 'webgpu', adapter: words(adapter.info), precision: 'f32', software };
}

/** A backend whose device was lost cannot come back: it makes room for one with a new device. */
function forgetLostDevice(): void {
	const { registry, registryFactory } = tf.engine();
	const backend = registry['webgpu'] as unknown as WebGPUBackend | undefined;
	if (!backend || !isLost(backend.device)) return;
	const { factory, priority } = registryFactory['webgpu'];
	tf.removeBackend('webgpu');
	tf.registerBackend('webgpu', factory, priority);
}

const watched = new WeakSet<GPUDevice>();

async function openWasm(): Promise<EngineInfo> {
	const wasm = await import('@tensorflow/tfjs-backend-wasm');
	if (!wasmPathsSet) {
		wasm.setWasmPaths(await wasmPaths());
		wasmPathsSet = true;
	}
	if (!(await tf.setBackend('wasm'))) {
		throw new Error('The WebAssembly backend could not be started: its .wasm file could not be loaded.');
	}
	// Where the page is isolated: half of the cores, eight at most. `setThreadsCount` can only lower that.
	const threads = wasm.getThreadsCount();
	return { backend: 'wasm', adapter: `CPU, WebAssembly${threads > 1 ? `, ${threads} threads` : ''}`, precision: 'f32', software: false };
}

let wasmPathsSet = false;

/** In Node the package's own folder; in a browser the addresses at which the build serves the files. */
async function wasmPaths() {
	if (inNode) {
		const nodeModule = 'node:module';
		const { createRequire } = (await import(/* @vite-ignore */ nodeModule)) as typeof import('node:module');
		const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
		return entry.slice(0, entry.lastIndexOf('/') + 1);
	}
	return (await import('./wasm-files.ts')).wasmFiles;
}

async function openCpu(): Promise<EngineInfo> {
	await import('@tensorflow/tfjs-backend-cpu');
	await tf.setBackend('cpu');
	return { backend: 'cpu', adapter: 'CPU, JavaScript', precision: 'f32', software: false };
}
