import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Experiment } from '$lib/documents/experiment.ts';
import { readSweep } from '$lib/documents/sweep.ts';
import { main } from './main.ts';
import { caught, writeTinyModel } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'winnow-'));
const file = (name: string) => join(folder, name);
const write = (name: string, document: unknown) => {
	writeFileSync(file(name), JSON.stringify(document));
	return file(name);
};
const said = caught();

beforeAll(() => writeTinyModel(folder));
afterAll(() => rmSync(folder, { recursive: true }));

const document = () => ({
	version: 1, model: `path:${folder}`, prompt: { text: 'The red box has the code 4417.' }, generate: { tokens: 3 },
	arms: [{ label: 'a', stack: [{ method: 'knorm' }] }, { stack: [{ method: 'snapkv', params: { budget: { tokens: 12 }, window: 4 } }] }]
});

describe('winnow match', () => {
	it('prints the experiment with the size that was found, and says what that is', async () => {
		expect(await main(['match', write('a.json', document()), '--arm', '0', '--to', '1'])).toBe(0);
		const found = JSON.parse(said.out) as Experiment;
		expect(found).toEqual({ ...document(), arms: [{ label: 'a', stack: [{ method: 'knorm', params: { budget: { tokens: 12 } } }] }, document().arms[1]] });
		expect(said.err).toBe('arms[0]: knorm with budget {"tokens":12} costs 3168 bytes after the prompt; 3168 were asked for: the same.\n');
	});

	it('takes bytes, and says when they cannot be matched', async () => {
		expect(await main(['match', write('b.json', document()), '--arm', '0', '--to', '100'])).toBe(0);
		expect((JSON.parse(said.out) as Experiment).arms[0].stack[0].params).toEqual({ budget: { tokens: 1 } });
		expect(said.err).toBe('arms[0]: The bytes cannot be matched: knorm with budget {"tokens":1} costs 264 bytes after the prompt, and 100 were asked for: 164 % more; that is the least it can cost.\n');
	});

	it.each([
		['--arm must be the number of an arm, 0 to 1', ['--to', '1']], ['--arm must be the number of an arm, 0 to 1', ['--arm', '2', '--to', '1']],
		['--to must be the number of an arm, from 0, or a number of bytes', ['--arm', '0']], ['--to must be the number of an arm, from 0, or a number of bytes', ['--arm', '0', '--to', 'half']],
		['there is no option --from here', ['--arm', '0', '--from', '1']], ['arms[1].matchBytes.arm: expected an arm that does not wait for this one, found 1', ['--arm', '1', '--to', '1']]
	])('refuses: %s', async (message, args) => {
		expect(await main(['match', write('c.json', document()), ...args])).toBe(2);
		expect(said.out).toBe('');
		expect(said.err).toContain(message);
	});
});

describe('winnow sweep', () => {
	const call = (work: string, ...more: string[]) => main([
		'sweep', '--model', `path:${folder}`, '--methods', 'knorm,streaming-llm', '--budgets', '0.5,0.25', '--tasks', 'copy,story', '--seeds', '2', '--batch', '2',
		'--work', file(work), '--out', file(`${work}.json`), ...more
	]);

	it('writes the table, and the same table when it was cut off and called again', async () => {
		expect(await call('whole')).toBe(0);
		expect(said.out).toBe('');
		const text = readFileSync(file('whole.json'), 'utf8');
		const table = readSweep(JSON.parse(text));
		expect(table.rows).toHaveLength(2 * 4);
		expect(table.command).toBe(`npm run winnow -- sweep --model path:${folder} --methods knorm,streaming-llm --budgets 0.5,0.25 --tasks copy,story --seeds 2 --batch 2`);
		const work = join(file('whole'), '1-of-1.jsonl');
		const lines = readFileSync(work, 'utf8').trimEnd().split('\n');
		expect(lines).toHaveLength(1 + 2 * 2 * 2);
		for (const kept of [lines.slice(0, 3).join('\n').length + 30, 10]) {
			truncateSync(work, kept);
			rmSync(file('whole.json'));
			expect(await call('whole')).toBe(0);
			expect(readFileSync(file('whole.json'), 'utf8')).toBe(text);
		}
		said.err = '';
		expect(await call('whole')).toBe(0);
		expect(said.err).not.toContain('texts');
	});

	it('waits for the other part before it writes, unless told to', async () => {
		expect(await call('parts', '--part', '2/2')).toBe(0);
		expect(said.err).toContain('8 measurements are not there yet');
		said.err = '';
		expect(await call('parts', '--fold')).toBe(0);
		expect(said.err).toContain('8 measurements are missing');
		expect(readSweep(JSON.parse(readFileSync(file('parts.json'), 'utf8'))).tasks[0].texts).toBe(1);
		expect(await call('parts', '--part', '1/2')).toBe(0);
		const strip = (name: string) => ({ ...readSweep(JSON.parse(readFileSync(file(name), 'utf8'))), command: '' });
		expect(strip('parts.json')).toEqual(strip('whole.json'));
	});

	it('refuses the work of another sweep', async () => {
		expect(await call('other', '--seeds', '1', '--tasks', 'story')).toBe(0);
		const work = join(file('other'), '1-of-1.jsonl');
		const text = readFileSync(work, 'utf8');
		writeFileSync(work, text.replace(/"fingerprint":"./, '"fingerprint":"x'));
		expect(await call('other')).toBe(2);
		expect(said.err).toMatch(/1-of-1\.jsonl was made with another model, engine or other tasks; move it away/);
		writeFileSync(work, text);
		appendFileSync(work, 'x\n');
		expect(await call('other')).toBe(2);
		expect(said.err).toMatch(/is damaged in line \d+; take that line out/);
	});

	it.each([
		['--methods must be a list out of .*snapkv.*, not snapkw', ['--methods', 'snapkw']], ['--tasks must be a list out of needle, facts, chat, chain, copy, story, not poem', ['--tasks', 'needle,poem']],
		['--budgets must be a list of shares above 0 and at most 1', ['--budgets', '0.5,2']], ['--budgets must be a list of shares', ['--budgets', 'half']],
		['--seeds must be a whole number of at least 1, not 0', ['--seeds', '0']], ['--part must be like 1/2, the first of two, not 3/2', ['--part', '3/2']],
		['--backend must be one of', ['--backend', 'metal']], ['there is no option --seed here', ['--seed', '1']], ['sweep takes options only, not "nano"', ['nano']]
	])('refuses: %s', async (message, args) => {
		expect(await main(['sweep', ...args])).toBe(2);
		expect(said.err).toMatch(new RegExp(message));
	});
});
