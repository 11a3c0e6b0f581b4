import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const lib = fileURLToPath(new URL('./src/lib', import.meta.url));
const shared = {
	plugins: [svelte()],
	resolve: { alias: { $lib: lib } }
};

// No test is judged by the clock; this only ends one that hangs. Projects inherit nothing, so each has it.
const timeouts = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
	...shared,
	test: {
		projects: [
			{
				...shared,
				test: {
					...timeouts,
					name: 'unit',
					environment: 'node',
					include: ['src/**/*.test.ts', 'training/**/*.test.ts', 'tests/**/*.test.ts'],
					exclude: ['**/*.webgpu.test.ts', 'node_modules/**']
				}
			},
			{
				...shared,
				// WebGPU as WebGPU, without a browser: Dawn for Node. Forks, because the driver's path is
				// an environment variable that has to be there when the process starts.
				test: {
					...timeouts,
					name: 'webgpu',
					environment: 'node',
					pool: 'forks',
					include: ['src/**/*.webgpu.test.ts'],
					setupFiles: ['tests/setup-webgpu.ts']
				}
			}
		]
	}
});
