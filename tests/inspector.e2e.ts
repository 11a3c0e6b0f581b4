/** The decision inspector in a real browser: why a token went, edits by hand, and the reader as the policy. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import type { Experiment } from '../src/lib/documents/experiment.ts';
import { decodeLink, encodeLink } from '../src/lib/share/link.ts';

const SMALL: Experiment = {
	version: 1, model: 'nano', prompt: { text: 'Lily has a red kite. The code of the kite is 4071.\nQ: What is the code of the kite?\nA:' },
	generate: { tokens: 5, temperature: 0, topK: 0, topP: 1, seed: 0 }, prefill: { block: null },
	arms: [{ label: 'SnapKV', stack: [{ method: 'snapkv', params: { budget: { tokens: 20 }, window: 8 } }] }, { label: 'H2O', stack: [{ method: 'h2o' }] }],
	report: ['steps', 'bill']
};
const HEADS = 24;

const inspector = (page: Page) => page.locator('#figure-4');
const inRibbon = (page: Page, position: number) => page.locator(`#figure-1 [data-position="${position}"]`);
const edits = (page: Page) => decodeLink(new URL(page.url()).hash).experiment.arms[0].edits ?? [];

async function open(page: Page, experiment: Experiment): Promise<void> {
	await page.goto(`/${encodeLink(experiment)}`);
	await expect(page.locator('html[data-ready]')).toBeAttached();
	await page.waitForLoadState('networkidle');
}
/** Waits until the pictures show the experiment that is set, to its end. */
async function settled(page: Page): Promise<void> {
	await expect(page.locator('.model .state')).toContainText('running here', { timeout: 150_000 });
	await expect(page.locator('.transport .go').first()).toContainText('Run', { timeout: 150_000 });
	await expect(page.locator('.pictures.stale')).toHaveCount(0);
}
async function run(page: Page): Promise<void> {
	await page.keyboard.press('Space');
	await settled(page);
}
async function accessible(page: Page): Promise<void> {
	const { violations } = await new AxeBuilder({ page }).analyze();
	expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(', ')}`)).toEqual([]);
}

test('a clicked token shows its case in every head, and what the full cache gave it', async ({ page }) => {
	await open(page, SMALL);
	await run(page);
	await inRibbon(page, 6).click();
	const cells = inspector(page).locator('.grid button');
	await expect(cells).toHaveCount(HEADS);
	await expect(cells.first()).toHaveAccessibleName(/layer 0, KV head 0: .*rank \d+ of \d+, score .*% of the attention/);
	await cells.nth(9).focus();
	await page.keyboard.press('Enter');
	await expect(inspector(page).locator('.verdict')).toContainText('In layer 2, KV head 1');
	await expect(inspector(page)).toContainText(/At the same words the full cache .* of this head’s attention a step, over 5 steps/);
	await inspector(page).getByText('Table: this token in every head').click();
	await expect(inspector(page).locator('tbody tr')).toHaveCount(HEADS);
	await accessible(page);
});

test('evict, pin and restore by hand: the run reacts, the address carries it, undo takes it back', async ({ page, browser }) => {
	await open(page, SMALL);
	await run(page);
	const token = 14;
	await inRibbon(page, token).click();
	const press = (name: RegExp) => inspector(page).getByRole('button', { name }).click();
	await press(/^Evict .* at 14$/);
	await settled(page);
	await expect(inRibbon(page, token)).toHaveAccessibleName(new RegExp(`in 0 of ${HEADS} heads`));
	expect(edits(page)).toEqual([{ step: 0, act: 'evict', positions: [token] }]);
	await expect(inspector(page).locator('.verdict')).toContainText('a hand');
	await press(/^Pin .* at 14$/);
	await settled(page);
	await expect(inRibbon(page, token)).toHaveAccessibleName(new RegExp(`in ${HEADS} of ${HEADS} heads`));
	expect(edits(page)).toEqual([{ step: -1, act: 'pin', positions: [token] }]);
	await inspector(page).getByText('This head', { exact: true }).click();
	await press(/^Evict .* at 14$/);
	await settled(page);
	await expect(inRibbon(page, token)).toHaveAccessibleName(new RegExp(`in ${HEADS - 1} of ${HEADS} heads`));
	await expect(inspector(page).locator('.hand li')).toHaveCount(2);
	await accessible(page);

	const other = await browser.newPage();
	await other.goto(page.url());
	await expect(other.locator('html[data-ready]')).toBeAttached();
	await other.waitForLoadState('networkidle');
	await run(other);
	await expect(inRibbon(other, token)).toHaveAccessibleName(new RegExp(`in ${HEADS - 1} of ${HEADS} heads`));
	await other.close();

	await page.getByRole('button', { name: 'Undo' }).click();
	expect(edits(page)).toHaveLength(1);
	await page.getByRole('button', { name: 'Redo' }).click();
	expect(edits(page)).toHaveLength(2);
});

test('an edit after a step leaves the steps before it as they were', async ({ page }) => {
	await open(page, SMALL);
	await run(page);
	await inRibbon(page, 14).click();
	await page.keyboard.press('[');
	await page.keyboard.press('[');
	await page.keyboard.press('[');
	await inspector(page).getByText('From step 3', { exact: true }).click();
	await inspector(page).getByRole('button', { name: /^Evict/ }).click();
	await settled(page);
	expect(edits(page)).toEqual([{ step: 2, act: 'evict', positions: [14] }]);
	await expect(inspector(page).locator('.verdict')).toContainText('at step 3');
});

test('you are the policy: tokens chosen by keyboard at equal bytes, scored against the others', async ({ page }) => {
	await open(page, SMALL);
	await run(page);
	await page.getByRole('button', { name: 'You are the policy' }).click();
	const panel = page.getByRole('region', { name: 'You are the policy' });
	const list = panel.getByRole('listbox');
	await expect(panel.locator('.count')).toContainText('2 of 20 tokens');
	await list.focus();
	await page.keyboard.press('Home');
	for (const key of ['ArrowRight', 'Space', 'Shift+ArrowRight', 'Shift+ArrowRight']) await page.keyboard.press(key);
	await expect(panel.locator('.count')).toContainText('5 of 20 tokens');
	await panel.getByRole('button', { name: 'Fill with the newest' }).click();
	await expect(panel.locator('.count')).toContainText('20 of 20 tokens');
	await list.focus();
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('Space');
	await expect(panel).toContainText('The budget of 20 tokens is spent');
	await accessible(page);
	const arms = decodeLink(new URL(page.url()).hash).experiment.arms;
	expect(arms[2].stack).toEqual([]);
	expect(arms[2].edits?.[0]).toMatchObject({ step: -1, act: 'keep' });
	expect(arms[2].edits?.[0].positions).toHaveLength(20);
	await panel.getByRole('button', { name: 'Run', exact: false }).click();
	await settled(page);
	await expect(panel.locator('.result')).toContainText(/At equal bytes, by mean KL: 1\. [AC] .*2\. [AC]/);
	await page.getByRole('button', { name: 'Undo' }).click();
	await expect(panel.locator('.count')).toContainText('5 of 20 tokens');
});

test('you are the policy by touch, on a small screen, in the place of the last arm', async ({ browser }) => {
	const context = await browser.newContext({ hasTouch: true, viewport: { width: 360, height: 800 } });
	const page = await context.newPage();
	await page.goto('/');
	await expect(page.locator('html[data-ready]')).toBeAttached();
	await page.waitForLoadState('networkidle');
	await page.getByRole('button', { name: 'You are the policy' }).tap();
	const panel = page.getByRole('region', { name: 'You are the policy' });
	await panel.locator('[data-at="5"]').tap();
	await expect(panel.locator('.count')).toContainText(/^3 of \d+ tokens/);
	await expect(panel.locator('[data-at="5"]')).toHaveAttribute('aria-selected', 'true');
	await panel.locator('[data-at="5"]').tap();
	await expect(panel.locator('.count')).toContainText(/^2 of \d+ tokens/);
	await accessible(page);
	const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	expect(overflow).toBe(0);
	await context.close();
});
