/** A graphics device that goes away in the middle of a run, in a real browser: the run comes back by itself. */
import { expect, test, type Page, type Worker } from '@playwright/test';
import { encodeLink } from '../src/lib/share/link.ts';
import type { Experiment } from '../src/lib/documents/experiment.ts';

const SMALL: Experiment = {
	version: 1, model: 'nano', prompt: { text: 'Lily has a red kite. The code of the kite is 4071.\nQ: What is the code of the kite?\nA:' },
	generate: { tokens: 4, temperature: 0, topK: 0, topP: 1, seed: 0 }, prefill: { block: null },
	arms: [{ label: 'SnapKV', stack: [{ method: 'snapkv', params: { budget: { tokens: 20 }, window: 8 } }] }],
	report: ['steps', 'bill']
};

/** Lets a test take the device away as a driver would: a page's own `destroy` is told apart by its reason. */
const HOOK = `
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...given) {
	const device = await request.apply(this, given);
	const lost = device.lost.then(() => ({ reason: 'unknown', message: 'taken away by the test' }));
	Object.defineProperty(device, 'lost', { get: () => lost });
	self.testDevice = device;
	return device;
};
`;

const lab = (page: Page): Worker => page.workers().filter((worker) => /workers\/server/.test(worker.url())).at(-1)!;
const words = async (page: Page) => (await page.locator('.changed svg text.word').allTextContents()).join(' ');

test('a lost graphics device is replaced, and the run is where it was', async ({ page }) => {
	await page.route(/workers\/server.*\.js/, async (route) => {
		const response = await route.fetch();
		await route.fulfill({ response, body: HOOK + (await response.text()) });
	});
	await page.goto(`/?backend=webgpu${encodeLink(SMALL)}`);
	await expect(page.locator('html[data-ready]')).toBeAttached();
	await page.waitForLoadState('networkidle');
	await page.keyboard.press(']');
	await expect(page.getByRole('heading', { name: /next word at step 1/ })).toBeVisible({ timeout: 150_000 });
	await expect(page.locator('.transport .go')).toContainText('Run', { timeout: 60_000 });
	await page.keyboard.press(']');
	await expect(page.getByRole('heading', { name: /next word at step 2/ })).toBeVisible({ timeout: 60_000 });
	const before = await words(page);

	await lab(page).evaluate(() => (self as unknown as { testDevice: GPUDevice }).testDevice.destroy());
	await expect(page.locator('.message')).toContainText('the run repeated up to step 2, with the same words', { timeout: 150_000 });
	await expect(page.locator('.message')).toContainText('taken away by the test');
	await expect(page.locator('.model .state')).toContainText('WebGPU, running here');
	expect(await words(page)).toBe(before);
	// The address still carries the experiment, and the run goes on.
	expect(page.url()).toContain('#w1.');
	await page.keyboard.press('Space');
	await expect(page.getByRole('heading', { name: /next word at step 4/ })).toBeVisible({ timeout: 150_000 });
	expect((await words(page)).startsWith(before.split(' ')[0])).toBe(true);
});
