import { defineConfig } from '@playwright/test';
import { existsSync } from 'node:fs';

/** The Chromium to drive: CHROMIUM, the system's, or the Chrome that people have. */
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
	(path) => path && existsSync(path)
);
const port = process.env.WINNOW_TEST_PORT ?? '4173';
const root = process.getuid?.() === 0;

const quiet = [
	'--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'
];
const swiftshader = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

export default defineConfig({
	testDir: 'tests',
	testMatch: '**/*.e2e.ts',
	timeout: 180_000,
	expect: { timeout: 30_000 },
	// Two cores in CI: one browser at a time is faster than two that starve each other.
	workers: 1,
	// A machine that many share now and then starves a browser; the summary of npm test says what passed only the second time.
	retries: process.env.WINNOW_PLAYWRIGHT_JSON ? 1 : 0,
	reporter: process.env.WINNOW_PLAYWRIGHT_JSON
		? [['line'], ['json', { outputFile: process.env.WINNOW_PLAYWRIGHT_JSON }]]
		: [['list']],
	use: {
		baseURL: `http://localhost:${port}`,
		launchOptions: {
			...(executablePath ? { executablePath } : { channel: 'chrome' }),
			args: [...(root ? ['--no-sandbox'] : []), ...quiet, ...swiftshader]
		}
	},
	webServer: {
		command: `npx vite preview --port ${port} --strictPort`,
		url: `http://localhost:${port}`,
		reuseExistingServer: !process.env.CI,
		timeout: 120_000
	}
});
