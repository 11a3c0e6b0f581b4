/** Models that are not part of the site, in a real browser: fetched into its private files, resumed, shared by two tabs, dropped, deleted. */
import AxeBuilder from '@axe-core/playwright';
import { readFileSync } from 'node:fs';
import { expect, test as base, type BrowserContext, type Page } from '@playwright/test';
import { encodeLink } from '../src/lib/share/link.ts';
import type { Experiment } from '../src/lib/documents/experiment.ts';
import { startHub, type Hub } from './hub-server.ts';

const ID = 'hf:winnow/nano';
const SMALL: Experiment = {
	version: 1, model: ID, prompt: { text: 'Lily has a red kite. The code of the kite is 4071.\nQ: What is the code of the kite?\nA:' },
	generate: { tokens: 3, temperature: 0, topK: 0, topP: 1, seed: 0 }, prefill: { block: null },
	arms: [{ label: 'SnapKV', stack: [{ method: 'snapkv', params: { budget: { tokens: 20 }, window: 8 } }] }],
	report: ['steps', 'bill']
};

const test = base.extend<{ hub: Hub }>({
	// eslint-disable-next-line no-empty-pattern -- Playwright reads the names of the fixtures from it
	hub: async ({}, use) => {
		const hub = await startHub();
		await use(hub);
		await hub.close();
	}
});

async function open(context: BrowserContext, hub: Hub, address = '/'): Promise<Page> {
	const page = await context.newPage();
	await page.addInitScript((at) => localStorage.setItem('winnow:hub', at), hub.address);
	await page.goto(address);
	await expect(page.locator('html[data-ready]')).toBeAttached();
	await page.waitForLoadState('networkidle');
	return page;
}
const dialog = (page: Page) => page.getByRole('dialog');
const button = (page: Page, name: string | RegExp) => dialog(page).getByRole('button', { name });

/** Opens the chooser and looks the repository up by the keyboard. */
async function look(page: Page): Promise<void> {
	await page.locator('.model .name').click();
	await dialog(page).getByLabel('Another repository').fill('winnow/nano');
	await page.keyboard.press('Enter');
	await expect(dialog(page).getByRole('heading', { name: 'nano' })).toBeFocused();
	await expect(dialog(page)).toContainText('Memory it takes here', { timeout: 60_000 });
}
async function run(page: Page): Promise<string> {
	await page.keyboard.press('Space');
	// With what the page says, so that a failure shows its reason.
	await expect.poll(() => page.locator('.model .state, .message').allTextContents().then((texts) => texts.join(' · ')), { timeout: 150_000 }).toMatch(/^[^·]*running here/);
	await expect(page.locator('.transport .go')).toContainText('Run', { timeout: 150_000 });
	return (await page.locator('.changed svg text.word').allTextContents()).join(' ');
}

test('a model is fetched when asked, kept over a reload, run, and deleted', async ({ context, hub }) => {
	const page = await open(context, hub, `/${encodeLink(SMALL)}`);
	await expect(page.locator('.message')).toContainText('not in this browser');
	await page.keyboard.press('Space');
	await expect(page.locator('.message')).toContainText('Nothing is fetched');
	expect(hub.asked).toEqual([]);
	await page.getByRole('button', { name: 'See what it takes' }).click();
	await expect(dialog(page)).toContainText('LlamaForCausalLM', { timeout: 60_000 });
	await button(page, /^Download/).click();
	await expect(button(page, 'Use it as set here')).toBeEnabled({ timeout: 60_000 });
	await button(page, 'Use it as set here').click();
	const fetched = await run(page);
	await page.reload();
	await expect(page.locator('html[data-ready]')).toBeAttached();
	await page.waitForLoadState('networkidle');
	expect(await run(page)).toBe(fetched);
	expect(hub.asked).toEqual([0]);

	// The same words as the model of the site: it is the same model.
	const site = await open(context, hub, `/${encodeLink({ ...SMALL, model: 'nano' })}`);
	expect(await run(site)).toBe(fetched);

	await page.locator('.model .name').click();
	await button(page, 'Delete nano').click();
	await expect(dialog(page)).toContainText('Nothing yet.');
	const left = await page.evaluate(async () => {
		const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('winnow-models');
		const names: string[] = [];
		for await (const name of folder.keys()) names.push(name);
		return names;
	});
	expect(left).toEqual([]);
});

test('a download that was cancelled goes on where it was, in another visit', async ({ context, hub }) => {
	const page = await open(context, hub);
	hub.holdAfter(3_000_000);
	await look(page);
	await button(page, /^Download/).click();
	const progress = dialog(page).locator('.fetching .num');
	await expect(progress).toContainText('MB of');
	await expect.poll(() => dialog(page).locator('.fetching progress').evaluate((bar: HTMLProgressElement) => bar.value)).toBeGreaterThan(0.25);
	await button(page, 'Cancel').click();
	await expect(button(page, /^Download the other/)).toBeVisible();
	await page.close();

	const later = await open(context, hub);
	await later.locator('.model .name').click();
	await expect(dialog(later)).toContainText('not whole');
	await button(later, 'Look at nano').first().click();
	await button(later, /^Download the other/).click();
	await expect(button(later, 'Use it')).toBeEnabled({ timeout: 60_000 });
	expect(hub.asked[0]).toBe(0);
	expect(hub.asked).toHaveLength(2);
	// What had arrived was kept, whole pieces of it.
	expect(hub.asked[1]).toBeGreaterThan(0);
	expect(hub.asked[1]).toBeLessThanOrEqual(3_000_000);
	await button(later, 'Use it').click();
	// Space would press the button that opened the dialog and has the focus again.
	await later.locator('.transport .go').click();
	await expect(later.locator('.model .state')).toContainText('running here', { timeout: 150_000 });
});

test('of two tabs one fetches; the other waits and has it, too', async ({ context, hub }) => {
	const one = await open(context, hub);
	const other = await open(context, hub);
	hub.holdAfter(2_000_000);
	await look(one);
	await look(other);
	await button(one, /^Download/).click();
	await expect(dialog(one).locator('.fetching .num')).toContainText('MB of');
	await button(other, /^Download/).click();
	await expect(dialog(other)).toContainText('Another tab is fetching this model');
	hub.release();
	await expect(button(one, 'Use it')).toBeEnabled({ timeout: 60_000 });
	await expect(button(other, 'Use it')).toBeEnabled({ timeout: 60_000 });
	expect(hub.asked).toEqual([0]);
});

test('files dropped anywhere on the page are weighed and used where they lie', async ({ context, hub }) => {
	const page = await open(context, hub, `/${encodeLink({ ...SMALL, model: 'nano' })}`);
	const files = ['config.json', 'tokenizer.json', 'model.safetensors'].map((name) => ({
		name, base64: readFileSync(new URL(`../static/models/nano/${name}`, import.meta.url)).toString('base64')
	}));
	const transfer = await page.evaluateHandle(async (all) => {
		const data = new DataTransfer();
		for (const { name, base64 } of all) data.items.add(new File([await (await fetch(`data:application/octet-stream;base64,${base64}`)).blob()], name));
		return data;
	}, files);
	await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
	await expect(page.getByText('Drop the model’s files')).toBeVisible();
	await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
	await expect(page.getByText('Drop the model’s files')).toBeHidden();
	await expect(dialog(page)).toContainText('Memory it takes here', { timeout: 60_000 });
	await button(page, 'Use it').click();
	const words = await run(page);
	expect(words.split(' ').length).toBeGreaterThanOrEqual(6);
	expect(page.url()).toContain('#w1.');
	expect(hub.asked).toEqual([]);
});

test('what is no model, and what the hub has not, are refused with the reason', async ({ context, hub }) => {
	const page = await open(context, hub);
	await page.locator('.model .name').click();
	const field = dialog(page).getByLabel('Another repository');
	await field.fill('just-a-name');
	await page.keyboard.press('Enter');
	await expect(dialog(page)).toContainText('That is no repository');
	await field.fill('winnow/other');
	await page.keyboard.press('Enter');
	await expect(dialog(page)).toContainText('has no model winnow/other');
	await button(page, 'All models').click();
	await page.keyboard.press('Escape');
	await expect(dialog(page)).toBeHidden();
	await expect(page.locator('.model .name')).toBeFocused();
});

for (const width of [1440, 1024, 360]) {
	for (const colorScheme of ['light', 'dark'] as const) {
		test(`the chooser is accessible and fits at ${width}, ${colorScheme}`, async ({ browser, hub }) => {
			const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
			try {
				const page = await open(context, hub);
				await page.locator('.model .name').click();
				await expect(dialog(page)).toContainText('Kept in this browser');
				const accessible = async () => {
					const { violations } = await new AxeBuilder({ page }).include('[role="dialog"]').analyze();
					expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(', ')}`)).toEqual([]);
					expect(await dialog(page).evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
				};
				await accessible();
				await dialog(page).getByLabel('Another repository').fill('winnow/nano');
				await page.keyboard.press('Enter');
				await expect(dialog(page)).toContainText('Memory it takes here', { timeout: 60_000 });
				await accessible();
			} finally {
				await context.close();
			}
		});
	}
}
