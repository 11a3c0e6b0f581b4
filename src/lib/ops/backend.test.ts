import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isSoftware, openBackend } from './backend.ts';

const adapterOf = (info: object) => ({ gpu: { requestAdapter: async () => ({ info }) } });
const swiftShader = { vendor: 'google', architecture: 'swiftshader', description: '' };

describe('openBackend', () => {
	afterEach(() => { vi.unstubAllGlobals(); });

	it('opens what is asked for by name', async () => {
		expect(await openBackend('cpu')).toEqual({ backend: 'cpu', adapter: 'CPU, JavaScript', precision: 'f32', software: false });
		expect(tf.getBackend()).toBe('cpu');
		expect((await openBackend('wasm')).backend).toBe('wasm');
		expect(tf.getBackend()).toBe('wasm');
	});

	it('takes wasm where there is no adapter, and says nothing of software', async () => {
		vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => null } });
		expect(await openBackend()).toMatchObject({ backend: 'wasm', software: false });
		await expect(openBackend('webgpu')).rejects.toThrow('WebGPU was asked for, but this browser or machine offers no adapter. Choose wasm instead.');
	});

	it('takes wasm in place of a software adapter, and says so', async () => {
		vi.stubGlobal('navigator', adapterOf(swiftShader));
		expect(await openBackend()).toEqual({
			backend: 'wasm', adapter: 'CPU, WebAssembly; WebGPU here is software (google swiftshader)', precision: 'f32', software: true
		});
	});

	it.each([
		[swiftShader, true],
		[{ vendor: '', architecture: '', description: 'llvmpipe (LLVM 15)' }, true],
		[{ vendor: 'microsoft', architecture: '', description: 'Microsoft Basic Render Driver' }, true],
		[{ vendor: 'x', architecture: '', description: '', isFallbackAdapter: true }, true],
		[{ vendor: 'nvidia', architecture: 'ampere', description: 'NVIDIA GeForce RTX 3060' }, false],
		[{ vendor: 'apple', architecture: 'metal-3', description: '' }, false],
		[{ vendor: 'intel', architecture: 'gen-12lp', description: '' }, false]
	])('knows a software adapter: %j', (info, software) => {
		expect(isSoftware(info)).toBe(software);
	});
});
