/**
 * Opens TensorFlow.js on the best backend that is really there: hardware WebGPU, then wasm, then
 * cpu. A software WebGPU adapter is slower than wasm, so it is used only when asked for by name.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { EngineInfo } from '$lib/documents/trace.ts';
import { watch } from './errors.ts';

export type Preferred = EngineInfo['backend'];

/** Throws an Error in plain words when the backend that was asked for by name cannot be had. */
export async function openBackend(preferred?: Preferred): Promise<EngineInfo> {
	tf.enableProdMode();
	if (preferred === 'webgpu') {
		if (inNode && !hasWebGpu()) await (await import('./node-webgpu.ts')).installWebGpu().catch(() => {});
		const info = await openWebGpu(true);
		if (!info) throw new Error('WebGPU was asked for, but this browser or machine offers no adapter. Choose wasm instead.');
		return info;
	}
	if (preferred === 'cpu') return openCpu();
	if (preferred === 'wasm') return openWasm();
	return (await openWebGpu(false)) ?? (await openWasm().catch(() => openCpu()));
}

const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined && typeof window === 'undefined';

function hasWebGpu(): boolean {
	return typeof navigator !== 'undefined' && navigator.gpu !== undefined;
}

async function openWebGpu(allowSoftware: boolean): Promise<EngineInfo | null> {
	if (!hasWebGpu()) return null;
	const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
	if (!adapter) return null;
	const { vendor, architecture, description } = adapter.info;
	const software = isSoftware(adapter.info);
	if (software && !allowSoftware) return null;
	// Imported here: the module looks for navigator.gpu when it is loaded, and pages rendered ahead have none.
	await import('@tensorflow/tfjs-backend-webgpu');
	const known = tf.engine().registryFactory['webgpu'] !== undefined;
	if (!known || !(await tf.setBackend('webgpu'))) return null;
	const backend = tf.backend() as unknown as WebGPUBackend;
	if (!watched.has(backend.device)) {
		watched.add(backend.device);
		watch(backend.device);
	}
	const words = description || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
	return { backend: 'webgpu', adapter: words, precision: 'f32', software };
}

const watched = new WeakSet<GPUDevice>();

/** SwiftShader and other CPU adapters. */
export function isSoftware(info: { vendor: string; architecture: string; description: string; isFallbackAdapter?: boolean }): boolean {
	if (info.isFallbackAdapter) return true;
	const words = `${info.vendor} ${info.architecture} ${info.description}`.toLowerCase();
	return /swiftshader|llvmpipe|lavapipe|software|basic render|warp/.test(words) || info.vendor.toLowerCase() === 'google';
}

async function openWasm(): Promise<EngineInfo> {
	const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
	if (!wasmPathsSet) {
		setWasmPaths(await wasmPaths());
		wasmPathsSet = true;
	}
	if (!(await tf.setBackend('wasm'))) {
		throw new Error('The WebAssembly backend could not be started: its .wasm file could not be loaded.');
	}
	return { backend: 'wasm', adapter: 'CPU, WebAssembly', precision: 'f32', software: false };
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
