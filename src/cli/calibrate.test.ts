import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ShippedFile } from '$lib/lab/calibrate/shipped.ts';
import type { Result } from '$lib/lab/result.ts';
import { main } from './main.ts';
import { caught, writeTinyModel } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'winnow-'));
const file = (name: string) => join(folder, name);
const said = caught();

beforeAll(() => writeTinyModel(folder));
afterAll(() => rmSync(folder, { recursive: true }));

it('writes what a method asks for beside the model, and the method runs from then on', async () => {
	const document = file('experiment.json');
	writeFileSync(document, JSON.stringify({
		version: 1, model: `path:${folder}`, prompt: { text: 'The red box has the code 4417. Anna walked to the river.' }, generate: { tokens: 2 },
		arms: [{ stack: [{ method: 'duo-attention', params: { recent: 8 } }] }], report: ['kept']
	}));
	expect(await main(['run', document])).toBe(2);
	expect(said.err).toContain('has no calibration/head-patterns.json');
	said.err = '';
	expect(await main(['calibrate', 'head-patterns', '--model', `path:${folder}`, '--seeds', '1', '--first', '40'])).toBe(0);
	expect(said.out).toBe('');
	expect(said.err.trim().split('\n')).toEqual([...[1, 2, 3].map((i) => `text ${i} of 3`), expect.stringContaining('calibration/head-patterns.json: from 3 texts of')]);
	const made = JSON.parse(readFileSync(file('calibration/head-patterns.json'), 'utf8')) as ShippedFile;
	expect(made).toMatchObject({ version: 1, name: 'head-patterns', texts: { tasks: { needle: { length: 512 } }, seeds: { first: 40, count: 1 }, texts: 3 } });
	expect(made.fingerprint).toMatch(/^[0-9a-f]{8}$/);
	expect(await main(['run', document])).toBe(0);
	const [arm] = (JSON.parse(said.out) as Result).arms;
	const lengths = arm.kept!.flat().map((head) => head.length);
	expect(lengths.filter((length) => length === 12)).toHaveLength(2);
	expect(lengths.filter((length) => length > 50)).toHaveLength(2);
	// The same again: the same file.
	const before = readFileSync(file('calibration/head-patterns.json'), 'utf8');
	expect(await main(['calibrate', 'head-patterns', '--model', folder, '--seeds', '1', '--first', '40', '--out', file('again')])).toBe(0);
	expect(readFileSync(file('again/calibration/head-patterns.json'), 'utf8')).toBe(before);
});

it.each([
	['there is nothing called "filters" to compute; there are q-filters, query-statistics, head-patterns, head-budgets', ['filters']],
	['--seeds must be a whole number of at least 1, not 0', ['--seeds', '0']],
	['there is no option --seed here', ['--seed', '1']],
	['hf:org/name is no folder that can be written to; --out says where the files go', ['--model', 'hf:org/name']]
])('says what is wrong: %s', async (message, args) => {
	expect(await main(['calibrate', ...args])).toBe(2);
	expect(said.err).toContain(message);
});
