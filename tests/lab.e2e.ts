/** The lab page in a real browser: recorded, live on WASM and on WebGPU, links, keys, failures, widths. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Browser, type Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { decodeLink, encodeLink } from '../src/lib/share/link.ts';
import type { Experiment } from '../src/lib/documents/experiment.ts';

/** Short enough for a software adapter: a dozen words, three tokens, two arms. */
const SMALL: Experiment = {
	version: 1, model: 'nano', prompt: { text: 'Lily has a red kite. The code of the kite is 4071.\nQ: What is the code of the kite?\nA:' },
	generate: { tokens: 3, temperature: 0, topK: 0, topP: 1, seed: 0 }, prefill: { block: null },
	arms: [
		{ label: 'SnapKV', stack: [{ method: 'snapkv', params: { budget: { tokens: 20 }, window: 8 } }] },
		{ label: 'KIVI', stack: [{ method: 'kivi', params: { bits: 2, residual: 32 } }] }
	],
	report: ['steps', 'bill']
};

const go = (page: Page) => page.locator('.transport .go');
const engine = (page: Page) => page.locator('.model .state');
/** The words of all rows as drawn, row by row. */
const words = async (page: Page) => (await page.locator('.changed svg text.word').allTextContents()).join(' ');

async function open(page: Page, address = '/'): Promise<void> {
	await page.goto(address);
	await expect(page.locator('html[data-ready]')).toBeAttached();
	await page.waitForLoadState('networkidle');
	await expect(go(page)).toBeEnabled();
}
/** Runs by the keyboard and waits for the end. */
async function run(page: Page, steps: number): Promise<void> {
	await page.keyboard.press('Space');
	await expect(engine(page)).toContainText('running here', { timeout: 150_000 });
	await expect(go(page)).toContainText('Run', { timeout: 150_000 });
	await expect(page.getByRole('heading', { name: new RegExp(`next word at step ${steps}`) })).toBeVisible();
}
async function accessible(page: Page): Promise<void> {
	const { violations } = await new AxeBuilder({ page }).analyze();
	expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(', ')}`)).toEqual([]);
}
async function inContext(browser: Browser, options: Parameters<Browser['newContext']>[0], use: (page: Page) => Promise<void>): Promise<void> {
	const context = await browser.newContext(options);
	try {
		await use(await context.newPage());
	} finally {
		await context.close();
	}
}

test('shows a recorded run before any script or model is there', async ({ browser }) => {
	await inContext(browser, { javaScriptEnabled: false }, async (page) => {
		await page.goto('/');
		await expect(page.getByText('recorded run')).toBeVisible();
		await expect(page.getByRole('heading', { name: 'What changed' })).toBeVisible();
		await expect(page.locator('body')).toContainText('SnapKV');
	});
});

test('runs on the reader’s machine with one key, and the same link gives the same words', async ({ page, browser }) => {
	await open(page, `/${encodeLink(SMALL)}`);
	await run(page, 3);
	await expect(engine(page)).toContainText('WebAssembly');
	const first = await words(page);
	expect(first.split(' ').length).toBeGreaterThanOrEqual(9);
	const link = page.url();
	expect(link).toContain('#w1.');
	await inContext(browser, {}, async (other) => {
		await open(other, link);
		await run(other, 3);
		expect(await words(other)).toBe(first);
	});
});

test('computes the same on WebGPU as on WASM', async ({ page }) => {
	const problems: string[] = [];
	page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
	await open(page, `/${encodeLink(SMALL)}`);
	await run(page, 3);
	const wasm = await words(page);
	await open(page, `/?backend=webgpu${encodeLink(SMALL)}`);
	await run(page, 3);
	await expect(engine(page)).toContainText('WebGPU');
	await expect(page.locator('.model')).toContainText('A software adapter');
	expect(await words(page)).toBe(wasm);
	expect(problems).toEqual([]);
});

test('works by the keyboard alone', async ({ page }) => {
	await open(page);
	await page.keyboard.press('?');
	await expect(page.getByRole('dialog')).toContainText('Run, pause');
	await page.keyboard.press('Escape');
	await expect(page.getByRole('dialog')).toBeHidden();
	await page.keyboard.press('2');
	await expect(page.getByRole('heading', { name: 'Cache map' })).toBeVisible();
	await expect(page.getByRole('heading', { name: 'Bill of bytes' })).toBeHidden();
	await page.keyboard.press('Escape');
	await expect(page.getByRole('heading', { name: 'Bill of bytes' })).toBeVisible();
	const step = page.getByRole('heading', { name: /next word at step/ });
	const before = await step.innerText();
	await page.keyboard.press('[');
	await expect(step).not.toHaveText(before);
	await page.keyboard.press(']');
	await page.keyboard.press('b');
	await expect(page.locator('html')).toHaveAttribute('data-mode', 'presenter');
	await page.keyboard.press('b');
	await expect(page.locator('html')).not.toHaveAttribute('data-mode', 'presenter');
});

test('a picture leaves the page as a file that stands alone, with its experiment in it', async ({ browser }) => {
	await inContext(browser, { colorScheme: 'dark' }, async (page) => {
		await open(page);
		const take = async (figure: string, item: string): Promise<Buffer> => {
			await page.getByRole('button', { name: `Files of this figure: ${figure}` }).click();
			const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: item }).click()]);
			return readFile(await file.path());
		};
		const svg = (await take('Bill of bytes', 'Picture as SVG')).toString();
		const paper = await page.evaluate((text) => {
			const file = new DOMParser().parseFromString(text, 'image/svg+xml');
			return { paper: file.querySelector('svg > rect')?.getAttribute('fill'), link: file.querySelector('a')?.getAttribute('href'), text: file.documentElement.textContent };
		}, svg);
		expect(paper.paper).toBe('#faf8f3');
		expect(paper.text).toContain('Bill of bytes');
		expect(svg).not.toMatch(/var\(|foreignObject|https?:\/\/(?!localhost|www\.w3\.org)/);
		expect(decodeLink(new URL(paper.link!).hash).experiment.arms).toHaveLength(4);

		const png = await take('Cache map', 'Picture as PNG');
		expect(png.subarray(1, 4).toString()).toBe('PNG');
		expect(png.readUInt32BE(16)).toBeGreaterThan(1000);
		expect(png.includes('#w1.')).toBe(true);
		await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');

		// Pixels do not become marks.
		await page.getByRole('button', { name: 'Files of this figure: Cache map' }).click();
		await expect(page.getByRole('menuitem', { name: 'Numbers as CSV' })).toBeVisible();
		await expect(page.getByRole('menuitem', { name: 'Picture as SVG' })).toHaveCount(0);
	});
});

test('a broken, a truncated and a newer link each say so, and lose nothing', async ({ page }) => {
	const whole = encodeLink(SMALL);
	for (const broken of ['#w1.%%%', whole.slice(0, whole.length - 12), whole.replace('#w1.', '#w9.')]) {
		await open(page, `/${broken}`);
		await expect(page.locator('.message')).toContainText('The first experiment is shown instead.');
		await expect(page.getByRole('heading', { name: 'What changed' })).toBeVisible();
		await page.goto('about:blank');
	}
});

test('says in a sentence when the model cannot be had, and keeps the recorded run', async ({ page }) => {
	await page.route('**/models/**', (route) => route.abort());
	await open(page);
	await page.keyboard.press('Space');
	await expect(page.locator('.message')).toContainText('The recorded run stays on the page.', { timeout: 60_000 });
	await expect(engine(page)).toContainText('recorded run');
});

test('refuses a prompt that is longer than the context, and keeps it', async ({ page }) => {
	const long = 'Lily went to the hill. '.repeat(400);
	await open(page, `/${encodeLink({ ...SMALL, prompt: { text: long } })}`);
	await page.keyboard.press('Space');
	await expect(page.locator('.message')).toContainText(/context/, { timeout: 150_000 });
	await expect(page.locator('.message')).toContainText(/1[ ,  ]?536/);
	await expect(page.getByText('Lily went to the hill.').first()).toBeVisible();
});

for (const width of [1440, 1024, 360]) {
	for (const colorScheme of ['light', 'dark'] as const) {
		test(`is accessible and fits at ${width}, ${colorScheme}`, async ({ browser }) => {
			await inContext(browser, { viewport: { width, height: 900 }, colorScheme }, async (page) => {
				await open(page);
				await accessible(page);
				const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
				expect(overflow).toBe(0);
			});
		});
	}
}
