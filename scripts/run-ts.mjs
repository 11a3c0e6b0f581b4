#!/usr/bin/env node
// Runs a TypeScript file of this project under Node, with the same aliases and
// `import.meta.glob` that the site is built with: node scripts/run-ts.mjs FILE [args…]
import { createServer } from 'vite';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const [file, ...args] = process.argv.slice(2);
if (!file) {
	console.error('usage: node scripts/run-ts.mjs FILE [args…]');
	process.exit(2);
}
// The script sees its own arguments where a script expects them.
process.argv = [process.argv[0], resolve(file), ...args];

const server = await createServer({
	root,
	configFile: false,
	logLevel: 'error',
	appType: 'custom',
	cacheDir: resolve(root, 'node_modules/.vite-run-ts'),
	server: { middlewareMode: true, hmr: false, watch: null, ws: false },
	optimizeDeps: { noDiscovery: true, include: [] },
	resolve: { alias: { $lib: resolve(root, 'src/lib') } }
});
try {
	const module = await server.ssrLoadModule(resolve(file));
	if (typeof module.main === 'function') process.exitCode = (await module.main(args)) ?? 0;
} finally {
	await server.close();
}
