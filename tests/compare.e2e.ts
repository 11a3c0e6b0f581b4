/** The table of all methods: absent, drawn, filtered, sorted, ranked, by keys alone, and a cell that is run again. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { decodeLink } from '../src/lib/share/link.ts';
import { SWEEP_COLUMNS, type SweepDocument, type SweepRow } from '../src/lib/documents/sweep.ts';
import { compare as w } from '../src/lib/ui/words/en/compare.ts';

/** Method, its family, its parameters by budget, and its bytes: all that the page needs, with made-up qualities. */
const METHODS = [
	{ id: 'snapkv', title: 'SnapKV', family: 'eviction', over: 1.015, good: 0.9 },
	{ id: 'knorm', title: 'Knorm', family: 'eviction', over: 1.016, good: 0.2 },
	{ id: 'adakv', title: 'Ada-KV', family: 'budget-allocation', over: 1.02, good: 0.95 },
	{ id: 'momentkv', title: 'MomentKV', family: 'summary', over: 1.3, good: 0.6 }
];
const BUDGETS = [0.5, 0.25, 0.06];
const TASKS = [{ task: 'needle', options: { length: 512 } }, { task: 'story', options: { length: 300 } }];

function fixture(): SweepDocument {
	const stacks = METHODS.flatMap(({ id }) => BUDGETS.map((fraction) => [{ method: id, params: { budget: { fraction } } }]));
	const rows = TASKS.flatMap((_, t) => METHODS.flatMap(({ over, good }, m) => BUDGETS.map((budget, b): SweepRow => {
		const kl = (1.2 - good) / budget / 10;
		const correct = t === 0 ? Math.min(1, good * (0.5 + budget)) : null;
		return [t, m, budget, m * BUDGETS.length + b, 20, kl, kl / 8, kl / 2, kl * 0.9, kl * 1.4, good, 0.02, correct, correct === null ? null : 0.05, budget * over, budget * over + 0.01];
	})));
	const quest = METHODS.length;
	const all: SweepRow[] = TASKS.flatMap((_, t) => BUDGETS.map((budget): SweepRow => [t, quest, budget, 0, 20, 0.001, 0.0001, 0.0005, 0.001, 0.002, 0.99, 0.01, t === 0 ? 1 : null, t === 0 ? 0 : null, 1.042, 1.043]));
	return {
		version: 1, kind: 'sweep', command: 'npm run winnow -- sweep --seeds 20', model: { id: 'nano', fingerprint: 'e4851c64' }, engine: { backend: 'wasm', precision: 'f32' },
		seeds: { first: 7000, count: 20 }, budgets: BUDGETS, tasks: TASKS.map((each, t) => ({ ...each, texts: 20, tokens: 500, steps: 6, full: t === 0 ? 0.98 : null })),
		methods: [...METHODS.map(({ id, title, family }) => ({ id, title, family })), { id: 'quest', title: 'Quest', family: 'retrieval' }],
		stacks, columns: SWEEP_COLUMNS, rows: [...rows, ...all], leftOut: [{ method: 'kivi', why: 'It was left out by the test.' }]
	};
}

const marks = (page: Page) => page.locator('svg [role=option]');
const rows = (page: Page) => page.getByRole('region', { name: w.region }).locator('tbody tr');

/** Serves `table` as the recorded one, or none, whatever the site holds. */
async function open(page: Page, search = '', table: unknown = fixture()): Promise<void> {
	await page.route('**/sweeps/nano.json', (route) => (table === null ? route.fulfill({ status: 404 }) : route.fulfill({ json: table })));
	await page.goto(`/compare/${search}`);
	await page.locator('html[data-ready]').waitFor({ state: 'attached' });
	if (table !== null) await marks(page).or(page.getByRole('alert')).first().waitFor();
}
async function accessible(page: Page): Promise<void> {
	const { violations } = await new AxeBuilder({ page }).analyze();
	expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(', ')}`)).toEqual([]);
}

test('says that there is no table, and that one cannot be read', async ({ page }) => {
	await open(page, '', null);
	await expect(page.getByText(w.absent)).toBeVisible();
	await expect(page.getByText(w.command, { exact: true })).toBeVisible();
	await accessible(page);
	await page.unroute('**/sweeps/nano.json');
	await open(page, '', { ...fixture(), version: 99 });
	await expect(page.getByRole('alert')).toContainText('another version of Winnow');
});

for (const colorScheme of ['light', 'dark'] as const) {
	test(`is accessible and fits at three widths, ${colorScheme}`, async ({ page }) => {
		await page.emulateMedia({ colorScheme });
		for (const width of [1440, 1024, 360]) {
			await page.setViewportSize({ width, height: 900 });
			await open(page, '?at=snapkv@0.25');
			await accessible(page);
			expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
		}
	});
}

test('says where the numbers come from and what they leave out', async ({ page }) => {
	await open(page);
	await expect(page.getByText('seeds 7000 to 7019, model nano (fingerprint e4851c64), WebAssembly')).toBeVisible();
	await expect(page.getByText('npm run winnow -- sweep --seeds 20')).toBeVisible();
	await expect(page.getByText(w.unshrunk('Quest', 1.042, 1.042))).toBeVisible();
	await expect(page.getByText('It was left out by the test.')).toBeVisible();
	await expect(marks(page)).toHaveCount(15);
});

test('a mark shows its row and a row its mark; keys alone go through all', async ({ page }) => {
	await open(page);
	const first = marks(page).and(page.locator('[tabindex="0"]'));
	await expect(first).toHaveCount(1);
	await first.focus();
	await page.keyboard.press('Home');
	const key = (await first.getAttribute('data-key'))!;
	await expect(page.locator(`tr[data-row="${key}"]`)).toHaveClass(/now/);
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('ArrowLeft');
	const focused = await page.evaluate(() => (document.activeElement as SVGElement).dataset.key!);
	expect(focused).not.toBe(key);
	expect(focused).toMatch(/@0.25$/);
	await page.keyboard.press('Enter');
	await expect(page.locator(`[data-key="${focused}"]`)).toHaveAttribute('aria-selected', 'true');
	await expect(page).toHaveURL(/at=[a-z]+%400\.25$/);
	await page.keyboard.press('Escape');
	await expect(page.locator('svg [role=option][aria-selected=true]')).toHaveCount(0);

	await page.getByRole('button', { name: w.look('Knorm', 0.5) }).hover();
	await expect(page.locator('svg[role=listbox] text', { hasText: 'Knorm' })).toBeVisible();
	await page.getByRole('button', { name: w.look('Knorm', 0.5) }).press('Enter');
	await expect(page.locator('[data-key="knorm@0.5"]')).toHaveAttribute('aria-selected', 'true');
	await expect(page.getByRole('heading', { name: w.cell.title('Knorm', 0.5) })).toBeVisible();

	const mark = page.locator('[data-key="momentkv@0.06"] path');
	await mark.scrollIntoViewIfNeeded();
	const box = (await mark.boundingBox())!;
	await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
	await expect(page.locator('tr[data-row="momentkv@0.06"]')).toHaveClass(/locked/);
});

test('filters by family and task, sorts by any column, and keeps it in the address', async ({ page }) => {
	await open(page);
	await page.getByRole('button', { name: 'Eviction' }).press('Enter');
	await expect(marks(page)).toHaveCount(6);
	await page.getByLabel(w.tasks.label, { exact: true }).selectOption('story');
	await expect(page.getByText(w.noAnswer('story'))).toBeVisible();
	await page.getByRole('radio', { name: 'KL' }).check();
	await expect(page).toHaveURL(/\?task=story&measure=kl&family=eviction$/);
	await page.getByRole('columnheader', { name: 'KL, nats' }).getByRole('button').press('Enter');
	await expect(page.getByRole('columnheader', { name: 'KL, nats' })).toHaveAttribute('aria-sort', 'ascending');
	await expect(rows(page).first()).toContainText('SnapKV');
	await page.getByRole('columnheader', { name: 'KL, nats' }).getByRole('button').press('Enter');
	await expect(rows(page).first()).toContainText('Knorm');
	await open(page, '?task=story&measure=kl&family=eviction');
	await expect(marks(page)).toHaveCount(6);
	await expect(page.getByRole('radio', { name: 'KL' })).toBeChecked();
});

test('ranks equal bytes only, unless told to', async ({ page }) => {
	await open(page, '?task=needle');
	const order = page.locator('section', { has: page.getByRole('heading', { name: w.ranking }) }).last();
	await expect(order.locator('ol li')).toHaveCount(3);
	await expect(order.locator('ol li').first()).toContainText('Ada-KV');
	await expect(order.locator('ul li')).toHaveText([/MomentKV.*28\.1 % more bytes/, /Quest.*311 % more bytes/]);
	await order.getByLabel(w.anyway).check();
	await expect(order.locator('ol li')).toHaveCount(5);
	await expect(order.getByRole('status')).toContainText('no fair order');
});

test('gives pictures and numbers as files', async ({ page }) => {
	await open(page);
	for (const [item, ending] of [['Numbers as CSV', '.csv'], ['Picture as SVG', '.svg'], ['Picture as PNG', '.png']]) {
		await page.getByRole('button', { name: 'Files of this figure' }).click();
		const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: item }).click()]);
		expect(file.suggestedFilename()).toBe(`winnow-quality-against-true-bytes${ending}`);
	}
});

test('runs a cell again in the lab and in the page, beside what is recorded', async ({ page }) => {
	await open(page, '?task=needle&at=snapkv@0.25');
	const link = page.getByRole('link', { name: w.cell.lab, exact: true });
	await page.getByLabel(w.cell.seed).selectOption('7003');
	const { experiment } = decodeLink(new URL((await link.getAttribute('href'))!, page.url()).hash);
	expect(experiment).toMatchObject({ model: 'nano', prompt: { task: 'needle', seed: 7003, length: 512 }, arms: [{ label: 'SnapKV', stack: [{ method: 'snapkv', params: { budget: { fraction: 0.25 } } }] }] });

	await page.getByRole('button', { name: w.cell.one }).press('Enter');
	await expect(page.getByRole('columnheader', { name: /Measured here just now on WebAssembly/ })).toBeVisible({ timeout: 120_000 });
	const bytes = page.getByRole('row', { name: w.cell.bytes }).locator('td');
	await expect(bytes).toHaveCount(2);
	// The recorded bytes are made up, the measured ones are what SnapKV keeps of this text.
	await expect(bytes.last()).toHaveText(/^25\.\d\s%$/);
	await expect(page.getByRole('row', { name: w.measures.correct }).locator('td').last()).toHaveText(/right|wrong/);
	const forced = await page.getByRole('link', { name: w.cell.forced }).getAttribute('href');
	expect(decodeLink(new URL(forced!, page.url()).hash).experiment.forced).toMatchObject({ tokens: expect.any(Array) });
	await accessible(page);
	await link.click();
	await expect(page.locator('.transport .go')).toBeEnabled();
	await expect(page.getByText('SnapKV').first()).toBeVisible();
});

test('a method’s page leads to it among the others', async ({ page }) => {
	await page.route('**/sweeps/nano.json', (route) => route.fulfill({ json: fixture() }));
	await page.goto('/methods/knorm/');
	await page.getByRole('link', { name: w.fromMethod }).click();
	await expect(page).toHaveURL(/\/compare\/\?method=knorm$/);
	await marks(page).first().waitFor();
	await page.locator('nav a', { hasText: w.title }).waitFor();
	await page.getByRole('link', { name: w.aboutMethod('Knorm') }).first().click();
	await expect(page).toHaveURL(/\/methods\/knorm\/?$/);
});
