/** Attention in a real browser: one head and all heads, with, without and their difference, what falls on what is gone, head types. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { encodeLink } from '../src/lib/share/link.ts';
import type { Experiment } from '../src/lib/documents/experiment.ts';

/** A code to recall, in an arm that cannot and in one that holds everything. */
const SMALL: Experiment = {
	version: 1, model: 'nano', prompt: { task: 'needle', seed: 3, length: 160, depth: 0.3 },
	generate: { tokens: 5, temperature: 0, topK: 0, topP: 1, seed: 0 }, prefill: { block: null },
	arms: [
		{ label: 'Sinks and recent', stack: [{ method: 'streaming-llm', params: { budget: { fraction: 0.25 } } }] },
		{ label: 'Everything', stack: [] }
	],
	report: ['steps', 'bill']
};

const ATTENTION = '#figure-3';
const GONE = '#figure-9';
const TYPES = '#figure-10';

async function open(page: Page, address = '/'): Promise<void> {
	await page.goto(address);
	await expect(page.locator('html[data-ready]')).toBeAttached();
	await page.waitForLoadState('networkidle');
	await expect(page.locator('.transport .go')).toBeEnabled();
}
async function file(page: Page, figure: string, item: string): Promise<string> {
	await page.getByRole('button', { name: `Files of this figure: ${figure}` }).click();
	const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: item }).click()]);
	return (await readFile(await download.path())).toString();
}
const rows = (csv: string) => csv.trim().split('\r\n').map((line) => line.split(','));
/** Colours of one of the three panels, and how many pixels have each. */
const colours = (page: Page, panel: number) => page.locator(`${ATTENTION} .panels canvas`).nth(panel).evaluate((canvas: HTMLCanvasElement) => {
	const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
	const counts: Record<string, number> = {};
	for (let i = 0; i < data.length; i += 4) {
		const colour = `${data[i]},${data[i + 1]},${data[i + 2]}`;
		counts[colour] = (counts[colour] ?? 0) + 1;
	}
	return counts;
});

test('a head of the grid opens by click and by Enter, and its cells are read by the keyboard', async ({ page }) => {
	await open(page);
	const figure = page.locator(ATTENTION);
	await expect(figure.getByRole('radiogroup', { name: 'Query heads' }).getByRole('radio')).toHaveCount(48);
	await figure.getByRole('radio', { name: /^layer 4, query head 2,/ }).click();
	await expect(figure.getByRole('heading', { name: 'Layer 4, query head 2' })).toBeVisible();
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('Enter');
	await expect(figure.getByRole('radio', { name: /^layer 4, query head 3,/ })).toBeChecked();
	await expect(figure.getByRole('heading', { name: 'Layer 4, query head 3' })).toBeVisible();
	// The recording holds the cells of the head that it opens with, and of its neighbour.
	await figure.getByRole('radio', { name: /^layer 0, query head 1,/ }).click();
	await expect(figure.getByRole('heading', { name: 'Layer 0, query head 1' })).toBeVisible();
	const cells = figure.getByRole('slider');
	await expect(cells).toHaveCount(3);
	await cells.first().focus();
	await page.keyboard.press('Home');
	await expect(cells.first()).toHaveAttribute('aria-valuenow', '0');
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowUp');
	await expect(cells.first()).toHaveAttribute('aria-valuetext', /^step 15, position 1 /);
	await expect(figure).toContainText('the same scale round zero');
});

test('where nothing was compressed there is no difference, and nothing falls on what is gone', async ({ page }) => {
	await open(page, `/${encodeLink(SMALL)}`);
	await page.keyboard.press('Space');
	await expect(page.locator('.model .state')).toContainText('running here', { timeout: 150_000 });
	await expect(page.locator('.transport .go')).toContainText('Run', { timeout: 150_000 });
	const types = page.locator(TYPES);
	// The full cache copies the code out of the text, with heads that are measured to.
	await expect(types).toContainText(/\d+ retrieval/);
	await types.getByRole('radio', { name: /: retrieval;/ }).first().click();
	await expect(types.getByRole('heading', { name: /: retrieval$/ })).toBeVisible();
	const retrieval = rows(await file(page, 'Where each head looks', 'Numbers as CSV'));
	expect(retrieval).toHaveLength(1 + 48);
	for (const row of retrieval.slice(1).filter((row) => row[3] === 'retrieval')) expect(Number(row[6])).toBeGreaterThanOrEqual(0.5);

	// Arm A has thrown the code away: that head looks where nothing is.
	const gone = page.locator(GONE);
	await expect(gone).toContainText(/arm A, the full cache puts [\d.]+\s% of its attention on slots that the arm no longer has: in sum [\d.]+ of 5 steps/);
	const numbers = rows(await file(page, 'Attention on what is gone', 'Numbers as CSV'));
	expect(numbers).toHaveLength(1 + 5);
	const [layer, head] = (await types.getByRole('heading', { level: 3 }).innerText()).match(/\d+/g)!;
	const column = numbers[0].indexOf(`layer ${layer} head ${head}`);
	expect(Math.max(...numbers.slice(1).map((row) => Number(row[column])))).toBeGreaterThan(0.5);
	// Where most of it is lost: the picture is of the newest step else.
	await page.locator(GONE).getByRole('slider').focus();
	await page.keyboard.press('Home');
	for (let step = 1; step < 5 && !(Number(numbers[step][column]) > 0.5); step++) await page.keyboard.press('ArrowRight');
	const middle = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--div-4').trim().match(/[0-9a-f]{2}/g)!.map((x) => parseInt(x, 16)).join(','));
	await expect(page.locator(`${ATTENTION} .lost b`)).toHaveText(/\d+\s%/);
	expect(Object.keys(await colours(page, 2)).length).toBeGreaterThan(6);

	await page.getByRole('article', { name: /Arm B/ }).getByRole('button').first().click();
	await expect(gone).toContainText('Fed the words of arm B, the full cache reads nothing that the arm no longer has.');
	await expect(page.locator(`${ATTENTION} .panels`)).toContainText('reads no slot that arm B has lost');
	await expect.poll(async () => (await colours(page, 2))[middle] ?? 0).toBeGreaterThan(1000);
	const difference = await colours(page, 2);
	const all = Object.values(difference).reduce((a, b) => a + b);
	// The rest is what is marked, and the positions that are not there yet.
	const strong = Object.entries(difference).filter(([colour]) => {
		const [r, , b] = colour.split(',').map(Number);
		return Math.abs(r - b) > 60;
	}).reduce((sum, [, n]) => sum + n, 0);
	expect(strong / all).toBeLessThan(0.1);
});

test('what falls on what is gone is gone through by step and head', async ({ page }) => {
	await open(page);
	const sheet = page.locator(GONE).getByRole('slider');
	await sheet.focus();
	await page.keyboard.press('Home');
	await expect(sheet).toHaveAttribute('aria-valuetext', /^step 1 .*layer 0, query head 0: /);
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('PageDown');
	await page.keyboard.press('ArrowDown');
	await expect(sheet).toHaveAttribute('aria-valuetext', /^step 2 .*layer 1, query head 1: /);
	// The one selection: what shows a head shows this one.
	await expect(page.locator(TYPES).getByRole('heading', { name: /^Layer 1, query head 1/ })).toBeVisible();
	await expect(page.locator(ATTENTION).getByRole('heading', { name: 'Layer 1, query head 1' })).toBeVisible();
	await page.keyboard.press('End');
	await expect(sheet).toHaveAttribute('aria-valuenow', '16');
	await page.keyboard.press('9');
	await expect(page.locator(ATTENTION)).toHaveAttribute('inert');
	await page.keyboard.press('Escape');
	await page.keyboard.press('0');
	await expect(page.locator(GONE)).toHaveAttribute('inert');
	await expect(page.locator(TYPES).getByRole('radiogroup')).toBeVisible();
	await page.keyboard.press('Escape');
	await expect(page.locator(GONE)).not.toHaveAttribute('inert');
});

for (const [width, colorScheme] of [[1440, 'light'], [1024, 'dark'], [360, 'light']] as const) {
	test(`the pictures fit and are accessible at ${width}, ${colorScheme}`, async ({ browser }) => {
		const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
		try {
			const page = await context.newPage();
			await open(page);
			for (const figure of [ATTENTION, GONE, TYPES]) {
				await page.locator(figure).getByText('Table behind the picture').first().click();
				// What is drawn stays inside its figure.
				const over = await page.locator(figure).evaluate((section) => {
					const right = section.getBoundingClientRect().right + 1;
					return [...section.querySelectorAll('.sized svg, .sized canvas, .sized table, .sized p')].filter((e) => e.getBoundingClientRect().right > right).map((e) => e.className.toString() || e.tagName);
				});
				expect(over).toEqual([]);
			}
			const { violations } = await new AxeBuilder({ page }).include(ATTENTION).include(GONE).include(TYPES).analyze();
			expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(', ')}`)).toEqual([]);
		} finally {
			await context.close();
		}
	});
}
