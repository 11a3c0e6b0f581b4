import adapter from '@sveltejs/adapter-static';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/kit').Config} */
export default {
	preprocess: vitePreprocess(),
	kit: {
		adapter: adapter({ fallback: '404.html' }),
		// Relative paths let the built folder be served from any sub-path of a static host.
		paths: { relative: true },
		// routes/isolation.ts decides whether it is wanted.
		serviceWorker: { register: false },
		prerender: {
			// A link's hash carries an experiment (#w1.…); it is no place on the page.
			handleMissingId({ id, message }) {
				if (!/^w\d+\./.test(id)) throw new Error(message);
			}
		}
	}
};
