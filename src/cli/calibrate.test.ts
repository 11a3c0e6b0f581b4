import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { ShippedFile } from '$lib/lab/calibrate/shipped.ts';
import type { Result } from '$lib/lab/result.ts';
import { TINY } from '$lib/lab/testing.ts';
import { HF_RANDOM, randomLlama } from '$lib/model/random-llama.ts';
import { main } from './main.ts';

const folder = mkdtempSync(join(tmpdir(), 'winnow-'));
const file = (name: string) => join(folder, name);
let out = '';
let err = '';
const consoles = { log: console.log, info: console.info, debug: console.debug };

beforeAll(async () => {
	const source = randomLlama({ ...TINY, max_position_embeddings: 2048 }, HF_RANDOM);
	for (const name of ['config.json', 'tokenizer.json']) writeFileSync(file(name), JSON.stringify(await source.json(name)));
	writeFileSync(file('model.safetensors'), new Uint8Array((await source.bytes('model.safetensors')) as ArrayBuffer));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
	out = err = '';
	vi.spyOn(process.stdout, 'write').mockImplementation(((text: string, done?: () => void) => {
		out += text;
		done?.();
		return true;
	}) as never);
	vi.spyOn(process.stderr, 'write').mockImplementation(((text: string) => {
		err += text;
		return true;
	}) as never);
});
afterEach(() => {
	vi.restoreAllMocks();
	Object.assign(console, consoles);
});

it('writes what a method asks for beside the model, and the method runs from then on', async () => {
	const document = file('experiment.json');
	writeFileSync(document, JSON.stringify({
		version: 1, model: `path:${folder}`, prompt: { text: 'The red box has the code 4417. Anna walked to the river.' }, generate: { tokens: 2 },
		arms: [{ stack: [{ method: 'duo-attention', params: { recent: 8 } }] }], report: ['kept']
	}));
	expect(await main(['run', document])).toBe(2);
	expect(err).toContain('has no calibration/head-patterns.json');
	err = '';
	expect(await main(['calibrate', 'head-patterns', '--model', `path:${folder}`, '--seeds', '1', '--first', '40'])).toBe(0);
	expect(out).toBe('');
	expect(err.trim().split('\n')).toEqual([...[1, 2, 3].map((i) => `text ${i} of 3`), expect.stringContaining('calibration/head-patterns.json: from 3 texts of')]);
	const made = JSON.parse(readFileSync(file('calibration/head-patterns.json'), 'utf8')) as ShippedFile;
	expect(made).toMatchObject({ version: 1, name: 'head-patterns', texts: { tasks: { needle: { length: 512 } }, seeds: { first: 40, count: 1 }, texts: 3 } });
	expect(made.fingerprint).toMatch(/^[0-9a-f]{8}$/);
	expect(await main(['run', document])).toBe(0);
	const [arm] = (JSON.parse(out) as Result).arms;
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
	expect(err).toContain(message);
});
