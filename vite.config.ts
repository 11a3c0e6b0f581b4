import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig, type Connect, type Plugin } from 'vite';

/**
 * Isolates the served site from other origins, so that WebAssembly gets threads, while developing and
 * in the preview alike. By middleware: SvelteKit serves past Vite's own `headers`. Hosts that cannot
 * send these have the service worker.
 */
function isolated(): Plugin {
	const send: Connect.NextHandleFunction = (_request, response, next) => {
		response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
		response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
		next();
	};
	return {
		name: 'winnow-isolated',
		configureServer: ({ middlewares }) => void middlewares.use(send),
		configurePreviewServer: ({ middlewares }) => void middlewares.use(send)
	};
}

/**
 * TensorFlow.js starts its threads from the text of a function (`toString`), which names a variable
 * outside of it behind a `typeof`. A minifier knows that variable and drops the `typeof`, and then no
 * thread starts. As a property of the global object it may be missing.
 */
function threadedWasm(): Plugin {
	return {
		name: 'winnow-threaded-wasm',
		transform(code, id) {
			if (!/tfjs-backend-wasm-threaded-simd\.js/.test(id)) return null;
			const inner = code.replace(/^\s*var _scriptDir = .*$/m, '').replace(/^\s*if \(typeof __filename .*_scriptDir = .*$/m, '');
			if (inner === code || !inner.includes('_scriptDir')) this.error('TensorFlow.js starts its threads in another way than before: look at this transformation again.');
			return { code: inner.replaceAll('_scriptDir', 'globalThis.tfjsScriptDir'), map: null };
		}
	};
}

export default defineConfig({
	plugins: [isolated(), sveltekit()],
	worker: { format: 'es', plugins: () => [threadedWasm()] }
});
