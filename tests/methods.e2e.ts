/** The catalogue: every method has its page without JavaScript; filter by keys and address; the demo opens the experiment. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { decodeLink } from '../src/lib/share/link.ts';
import { methods as all } from '../src/lib/ui/words/en/methods.ts';

async function open(page: Page, address: string): Promise<void> {
	await page.goto(address);
	await page.locator('html[data-ready]').waitFor({ state: 'attached' });
}

test('every method is in the list and has a page with its formula and its file, without JavaScript', async ({ request }) => {
	const list = await (await request.get('/methods/')).text();
	const ids = [...new Set([...list.matchAll(/href="[^"]*methods\/([a-z0-9-]+)\/?"/g)].map(([, id]) => id))];
	expect(ids.length).toBeGreaterThan(20);
	for (const { name } of Object.values(all.families)) expect(list).toContain(`>${name}</h2>`);
	for (const id of ids) {
		const response = await request.get(`/methods/${id}/`);
		expect(response.ok(), id).toBe(true);
		const html = await response.text();
		expect(html, id).toContain('katex-display');
		expect(html, id).not.toContain('katex-error');
		expect(html, id).toContain(`/${id}.ts, `);
	}
});

for (const colorScheme of ['light', 'dark'] as const) {
	test(`is accessible and fits at three widths, ${colorScheme}`, async ({ page }) => {
		await page.emulateMedia({ colorScheme });
		for (const width of [1440, 1024, 360]) {
			await page.setViewportSize({ width, height: 800 });
			for (const address of ['/methods/', '/methods/snapkv/']) {
				await open(page, address);
				const { violations } = await new AxeBuilder({ page }).analyze();
				expect(violations.map(({ id, nodes }) => `${width} ${address} ${id}: ${nodes.map((n) => n.target).join(', ')}`)).toEqual([]);
				expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
			}
		}
	});
}

test('filters by keys, keeps it in the address, and opens such an address', async ({ page }) => {
	await open(page, '/methods/');
	await page.keyboard.press('/');
	const field = page.getByRole('searchbox');
	await expect(field).toBeFocused();
	await page.keyboard.type('heavy hitters');
	await expect(page.getByRole('link', { name: 'H2O', exact: true })).toBeVisible();
	await expect(page.getByRole('link', { name: 'KIVI', exact: true })).toHaveCount(0);
	await expect(page).toHaveURL(/\?q=heavy\+hitters$/);
	await field.fill('no method says this');
	await page.getByRole('button', { name: all.clear }).press('Enter');
	await expect(field).toBeFocused();
	await expect(page).toHaveURL(/\/methods\/$/);

	await page.getByRole('button', { name: /^Quantization/ }).press('Enter');
	await expect(page).toHaveURL(/\?family=quantization$/);
	await expect(page.getByRole('heading', { level: 2 })).toHaveText(['Quantization']);
	await open(page, '/methods/?family=summary&q=moment');
	await expect(page.getByRole('heading', { level: 2 })).toHaveText(['Summary']);
	await expect(page.getByRole('button', { name: /^Summary/ })).toHaveAttribute('aria-pressed', 'true');
});

test('the demo link opens the experiment in the lab', async ({ page }) => {
	await open(page, '/methods/snapkv/');
	const link = page.getByRole('link', { name: all.demo });
	await expect(link).toHaveAttribute('href', /#w1\./);
	const { experiment } = decodeLink(new URL((await link.getAttribute('href'))!, page.url()).hash);
	expect(experiment.arms.map((arm) => arm.stack[0].method)).toEqual(['snapkv', 'streaming-llm']);
	expect(experiment.prompt).toMatchObject({ task: 'needle' });
	await link.click();
	await expect(page.locator('.transport .go')).toBeEnabled();
	await expect(page.getByText('SnapKV').first()).toBeVisible();
	await expect(page.getByText('StreamingLLM').first()).toBeVisible();
});
