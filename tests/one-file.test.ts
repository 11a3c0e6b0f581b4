/** Adding a method is one file: the fixture's is put beside the others, and is found wherever methods are. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { experiment, tinyLab, TEXT, TINY } from '$lib/lab/testing.ts';
import { HF_RANDOM, randomLlama } from '$lib/model/random-llama.ts';
import { main } from '../src/cli/main.ts';
import { load as listed } from '../src/routes/methods/+page.server.ts';
import { entries } from '../src/routes/methods/[id]/+page.server.ts';

vi.mock('$lib/methods/registry.ts', async (original) => {
	const real = await original<typeof import('$lib/methods/registry.ts')>();
	const path = './eviction/every-other.ts';
	const added = real.collect({ [path]: await import('$lib/methods/testing/fixture/eviction/every-other.ts') });
	return { ...real, methods: new Map([...real.methods, ...added]) };
});

const evenOnes = (n: number) => Array.from({ length: Math.ceil(n / 2) }, (_, i) => 2 * i);

describe('a method that is one file', () => {
	let out = '';
	const consoles = { log: console.log, info: console.info, debug: console.debug };
	beforeEach(() => {
		out = '';
		vi.spyOn(process.stdout, 'write').mockImplementation(((text: string, done?: () => void) => {
			out += text;
			done?.();
			return true;
		}) as never);
	});
	afterEach(() => {
		vi.restoreAllMocks();
		Object.assign(console, consoles);
	});

	it('is in the catalogue, and has a page', async () => {
		const { entries: all } = (await listed({} as never)) as { entries: { id: string; title: string; first: string }[] };
		expect(all.find(({ id }) => id === 'every-other')).toMatchObject({ title: 'Every other token', first: 'Keeps the even positions.' });
		expect(await entries()).toContainEqual({ id: 'every-other' });
	});

	it('runs in the lab', async () => {
		const lab = await tinyLab('wasm');
		const run = await lab.start(experiment({ arms: [{ stack: [{ method: 'every-other' }] }], generate: { tokens: 2 } }));
		await run.advance();
		expect(run.trace.arms[0].kept[0][0]).toEqual(evenOnes(TEXT.length + 1));
		run.dispose();
		lab.dispose();
	});

	it('is known to the command line, by name and in a document', async () => {
		expect(await main(['methods'])).toBe(0);
		expect(out).toContain('every-other: Every other token, an example');
		const folder = mkdtempSync(join(tmpdir(), 'winnow-'));
		const source = randomLlama(TINY, HF_RANDOM);
		for (const name of ['config.json', 'tokenizer.json']) writeFileSync(join(folder, name), JSON.stringify(await source.json(name)));
		writeFileSync(join(folder, 'model.safetensors'), new Uint8Array((await source.bytes('model.safetensors')) as ArrayBuffer));
		const document = { version: 1, model: `path:${folder}`, prompt: { text: 'The red box.' }, generate: { tokens: 1 }, arms: [{ stack: [{ method: 'every-other' }] }], report: ['kept'] };
		writeFileSync(join(folder, 'one.json'), JSON.stringify(document));
		out = '';
		expect(await main(['run', join(folder, 'one.json')])).toBe(0);
		expect(JSON.parse(out).arms[0].kept[0][0]).toEqual(evenOnes(13));
		rmSync(folder, { recursive: true });
	});
});
