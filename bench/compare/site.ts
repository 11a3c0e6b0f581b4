/** Builds the bench page and serves it with what it loads, on this machine alone. */
import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Plugin } from 'vite';

/**
 * tfjs hands the source of its threaded wasm module to its threads as text, without the variable
 * around it that a minifier has renamed by then ("e is not defined"). Declared inside, it goes along.
 */
export const threadsOfTfjs: Plugin = {
	name: 'threads-of-tfjs',
	transform(code, id) {
		if (!id.endsWith('tfjs-backend-wasm-threaded-simd.js')) return undefined;
		const head = 'function(WasmBackendModuleThreadedSimd) {';
		if (!code.includes(head)) throw new Error('The threaded wasm module of tfjs has changed: look at bench/compare/site.ts.');
		return { code: code.replace(head, `${head} var _scriptDir;`), map: null };
	}
};

export async function buildPage(root: string, out: string): Promise<void> {
	const { build } = await import('vite');
	await build({
		root: `${root}/bench/page`,
		configFile: false,
		logLevel: 'error',
		base: './',
		resolve: { alias: { $lib: `${root}/src/lib` } },
		worker: { format: 'es', plugins: () => [threadsOfTfjs] },
		build: { outDir: out, emptyOutDir: true, target: 'esnext', chunkSizeWarningLimit: 100_000 }
	});
}

const TYPES: Record<string, string> = {
	'.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json'
};

/**
 * `mounts`: folder by the start of the address, longest first. `isolated`: with the headers that let
 * a page have threads. Files alone: a folder or a missing file is a 404.
 */
export async function serve(mounts: [prefix: string, folder: string][], isolated: boolean): Promise<{ server: Server; address: string }> {
	const server = createServer((request, response) => {
		const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
		const [prefix, folder] = mounts.find(([start]) => path.startsWith(start)) ?? [];
		const file = folder && join(folder, normalize(`/${path.slice(prefix!.length)}`));
		const size = file ? statSync(file, { throwIfNoEntry: false }) : undefined;
		if (!file || !size?.isFile()) {
			response.writeHead(404).end();
			return;
		}
		response.writeHead(200, {
			'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
			'content-length': size.size,
			'cache-control': 'no-store',
			...(isolated ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-resource-policy': 'same-origin' } : {})
		});
		if (request.method === 'HEAD') response.end();
		else createReadStream(file).pipe(response);
	});
	await new Promise<void>((ready) => server.listen(0, 'localhost', ready));
	return { server, address: `http://localhost:${(server.address() as AddressInfo).port}` };
}
