/** The Chromium that everything runs in: with the machine's GPU where it has one, else with a software adapter. */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from '@playwright/test';
import { isSoftware } from '../../src/lib/ops/index.ts';
import type { Bench } from '../page/page.ts';

/** The functions of the bench page, called from here. */
export type BenchOnPage = { [K in keyof Bench]: (...args: Parameters<Bench[K]>) => Promise<Awaited<ReturnType<Bench[K]>>> };

export interface About {
	chromium: string;
	/** Null where there is no WebGPU at all. */
	adapter: string | null;
	software: boolean;
	cores: number;
	isolated: boolean;
}

const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => path && existsSync(path));
const quiet = [
	'--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
	...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])
];
const hardware = ['--enable-unsafe-webgpu', ...(process.platform === 'linux' ? ['--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface', '--ignore-gpu-blocklist'] : []),
	// Without it Chromium does not say what card it is.
	'--enable-webgpu-developer-features'
];
const swiftshader = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

const launch = (flags: string[]) => chromium.launch({ ...(executablePath ? { executablePath } : { channel: 'chrome' }), args: [...quiet, ...flags] });

export async function openBrowser(address: string): Promise<{ browser: Browser; about: About }> {
	const first = await launch(hardware);
	const there = await look(first, address);
	if (there.adapter && !there.software) return { browser: first, about: there };
	await first.close();
	const second = await launch(swiftshader);
	return { browser: second, about: await look(second, address) };
}

async function look(browser: Browser, address: string): Promise<About> {
	const { page, bench } = await openPage(browser, address);
	const { adapter: info, cores, isolated } = await bench.about();
	await page.close();
	const adapter = info && (info.description || [info.vendor, info.architecture].filter(Boolean).join(' '));
	return { chromium: browser.version(), adapter, software: info !== null && isSoftware(info), cores, isolated };
}

/** A fresh page with no contestants. */
export async function openPage(browser: Browser, address: string, onMessage?: (text: string) => void): Promise<{ page: Page; bench: BenchOnPage }> {
	const page = await browser.newPage();
	page.setDefaultTimeout(0);
	page.on('console', (message) => onMessage?.(message.text()));
	page.on('pageerror', (error) => onMessage?.(error.message));
	await page.goto(`${address}/index.html`);
	await page.waitForFunction(() => document.title === 'ready');
	const call = (name: string) => (...args: unknown[]) =>
		page.evaluate(([name, args]) => (globalThis as unknown as { bench: Record<string, (...args: unknown[]) => unknown> }).bench[name as string](...(args as unknown[])), [name, args]);
	const bench = Object.fromEntries(['about', 'open', 'fill', 'answer', 'visit', 'count', 'detail', 'close'].map((name) => [name, call(name)]));
	return { page, bench: bench as unknown as BenchOnPage };
}
