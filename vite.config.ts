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

export default defineConfig({
	plugins: [isolated(), sveltekit()],
	worker: { format: 'es' }
});
