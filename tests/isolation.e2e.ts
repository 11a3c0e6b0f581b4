/** The built site on a host that sends no headers, at a sub-path: the service worker brings the isolation. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test as base, type Page } from '@playwright/test';

const BUILD = fileURLToPath(new URL('../build', import.meta.url));
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.woff2': 'font/woff2' };
const SITE = '/sub/site';

/** A static host as plain as they come. */
const test = base.extend<{ host: string }>({
	// eslint-disable-next-line no-empty-pattern -- Playwright reads the names of the fixtures from it
	host: async ({}, use) => {
		const server = createServer((request, response) => {
			const { pathname } = new URL(request.url ?? '/', 'http://host');
			const inside = decodeURIComponent(pathname.slice(SITE.length));
			const at = `${BUILD}${inside.endsWith('/') ? `${inside}index.html` : inside}`;
			if (!pathname.startsWith(`${SITE}/`) || inside.includes('..') || !existsSync(at) || !statSync(at).isFile()) return void response.writeHead(404).end();
			response.writeHead(200, { 'content-type': TYPES[extname(at)] ?? 'application/octet-stream' }).end(readFileSync(at));
		});
		await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
		await use(`http://localhost:${(server.address() as AddressInfo).port}${SITE}/`);
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}
});

const isolated = (page: Page) => page.evaluate(() => crossOriginIsolated).catch(() => false);

/** As on a machine of four cores: on fewer there is one thread, and no reason to load again. */
const CORES = "Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 });";

/** A page on four cores, in its threads too, that counts how often it was loaded. */
async function visit(page: Page, address: string): Promise<() => number> {
	let loads = 0;
	page.on('load', () => loads++);
	await page.addInitScript(CORES);
	await page.context().route(/workers\/server.*\.js/, async (route) => {
		const response = await route.fetch();
		await route.fulfill({ response, body: CORES + (await response.text()) });
	});
	await page.goto(address);
	return () => loads;
}
async function settled(page: Page): Promise<void> {
	await expect(page.locator('html[data-ready]')).toBeAttached();
	await page.waitForLoadState('networkidle');
}

test('the first visit is loaded once more and is isolated then; later visits at once', async ({ page, host }) => {
	const loads = await visit(page, host);
	await expect.poll(() => isolated(page), { timeout: 60_000 }).toBe(true);
	await settled(page);
	expect(loads()).toBe(2);
	await page.goto(`${host}lessons/`);
	await settled(page);
	expect(await isolated(page)).toBe(true);
	expect(loads()).toBe(3);
});

test('nothing is registered or loaded again under ?no-sw, and all works', async ({ page, host }) => {
	const loads = await visit(page, `${host}?no-sw`);
	await settled(page);
	expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
	expect(await isolated(page)).toBe(false);
	expect(loads()).toBe(1);
	await page.keyboard.press('Space');
	await expect(page.locator('.model .state')).toContainText('running here', { timeout: 150_000 });
});

test('an isolated page runs the model in threads', async ({ page }) => {
	const problems: string[] = [];
	page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
	page.on('pageerror', (error) => problems.push(error.message));
	// The preview sends the headers itself.
	await visit(page, '/?backend=wasm');
	await settled(page);
	expect(await isolated(page)).toBe(true);
	await page.keyboard.press('Space');
	await expect(page.locator('.model .state')).toContainText('WebAssembly, running here', { timeout: 150_000 });
	expect(await page.locator('.model .state').getAttribute('title')).toBe('CPU, WebAssembly, 2 threads');
	expect(problems).toEqual([]);
});
