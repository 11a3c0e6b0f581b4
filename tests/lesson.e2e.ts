/** The lesson: predict, commit, reveal, explain; nothing is given away before; links, keys, class mode. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const LESSON = '/lessons/what-to-keep/';
const columns = (page: Page) => page.locator('g[role=slider].column');
const bars = (page: Page) => page.locator('rect.bar');

/** Without a model the recorded run answers, which keeps most of these tests short. */
const withoutModel = (page: Page) => page.route('**/models/**', (route) => route.abort());

async function open(page: Page, hash = ''): Promise<void> {
	await page.goto(LESSON + hash);
	await page.locator('html[data-ready]').waitFor({ state: 'attached' });
	await page.waitForFunction(() => document.querySelectorAll('g.column').length === 3);
	await page.waitForLoadState('networkidle');
}
async function place(page: Page, keys: string[]): Promise<void> {
	for (const [i, key] of keys.entries()) {
		await columns(page).nth(i).focus();
		await page.keyboard.press(key);
	}
	await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
}
async function accessible(page: Page): Promise<void> {
	const { violations } = await new AxeBuilder({ page }).analyze();
	expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(', ')}`)).toEqual([]);
}

test('gives nothing away before the reveal, and keeps the prediction both ways', async ({ page }) => {
	await withoutModel(page);
	const fetched: string[] = [];
	page.on('request', (request) => fetched.push(request.url()));
	await open(page);
	await accessible(page);
	await expect(page.getByRole('button', { name: 'Place every disc first' })).toBeDisabled();
	await page.keyboard.press('ArrowRight');
	await expect(page.getByRole('slider', { name: 'Stage' })).toHaveAttribute('aria-valuetext', '1, predict');

	await place(page, ['4', '2', 'Home']);
	await expect(columns(page).nth(2)).toHaveAttribute('aria-valuetext', '0 of 4 digits');
	await page.keyboard.press('ArrowRight');
	expect(fetched.filter((url) => url.includes('/traces/'))).toEqual([]);
	await page.getByRole('button', { name: 'Commit and run the model' }).click();
	await expect(page.getByRole('button', { name: 'Reveal' })).toBeEnabled();
	await expect(bars(page)).toHaveCount(0);
	await expect(page.locator('.verdict')).toHaveCount(0);
	await accessible(page);

	await page.keyboard.press('ArrowRight');
	await expect(bars(page)).toHaveCount(4);
	await expect(page.locator('.verdict')).toContainText(/You gave|Every disc/);
	await expect(page.getByText('The model could not run here')).toBeVisible();
	await accessible(page);
	await page.keyboard.press('ArrowRight');
	await expect(page.getByText('What each policy kept')).toBeVisible();
	await accessible(page);
	await expect(page.getByRole('link', { name: 'Open it in the lab' })).toHaveAttribute('href', /#w1\./);

	for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft');
	await expect(bars(page)).toHaveCount(0);
	await expect(columns(page).nth(0)).toHaveAttribute('aria-valuetext', '4 of 4 digits');
	await expect(page).toHaveURL(/#guess=4\.2\.0$/);
});

test('runs on the model in the page', async ({ page }) => {
	await open(page);
	await place(page, ['0', '1', '4']);
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowRight');
	await expect(page.getByRole('button', { name: 'Reveal' })).toBeEnabled({ timeout: 150_000 });
	await page.keyboard.press('ArrowRight');
	await expect(bars(page)).toHaveCount(4);
	await expect(page.getByText('could not run here')).toHaveCount(0);
	await expect(page.locator('figcaption').getByRole('img', { name: 'measured here' })).toBeVisible();
});

test('a link opens the stage with its prediction; a broken one says what is wrong', async ({ page }) => {
	await withoutModel(page);
	await open(page, '#stage=reveal&guess=4.0.4');
	await expect(bars(page)).toHaveCount(4);
	await page.goto('about:blank');
	await open(page, '#stage=reveal');
	await expect(page.getByText('a prediction comes first')).toBeVisible();
	await expect(bars(page)).toHaveCount(0);
	await page.goto('about:blank');
	await open(page, '#stage=dessert&guess=1.2.9');
	await expect(page.getByText('no stage “dessert”')).toBeVisible();
	await expect(page.getByText('does not fit the lesson')).toBeVisible();
});

test('the class: hands are counted, one figure, a code for the present state', async ({ page }) => {
	await withoutModel(page);
	await page.setViewportSize({ width: 1024, height: 768 });
	await open(page);
	await page.keyboard.press('b');
	await expect(page.getByRole('heading', { level: 1 })).toHaveText('Which policy still knows the code?');
	await columns(page).nth(1).focus();
	for (let i = 0; i < 7; i++) await page.keyboard.press('+');
	await page.keyboard.press('-');
	await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
	await expect(columns(page).nth(1)).toHaveAttribute('aria-valuetext', '6 hands');
	await expect(page.getByRole('img', { name: /QR code.*hands=0\.6\.0/ })).toBeVisible();
	await accessible(page);
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowRight');
	await expect(page.getByText('Measured. Press the right arrow')).toBeVisible();
	await page.keyboard.press('ArrowRight');
	await expect(page.getByText('6 hands for Heavy hitters')).toBeVisible();
	await accessible(page);
	await page.keyboard.press('ArrowRight');
	await expect(page.getByText('What each policy kept')).toBeVisible();
	expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(768);
	await page.keyboard.press('Escape');
	await expect(page.getByRole('heading', { level: 1 })).toHaveText('What to keep');
});
