import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecording } from '$lib/documents/recording.ts';
import { TINY } from '$lib/lab/testing.ts';
import type { Result } from '$lib/lab/result.ts';
import { HF_RANDOM, randomLlama } from '$lib/model/random-llama.ts';
import { methods } from '$lib/methods/registry.ts';
import { main } from './main.ts';
import { caught } from './testing.ts';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../..');
const folder = mkdtempSync(join(tmpdir(), 'winnow-'));
const file = (name: string) => join(folder, name);
const write = (name: string, document: unknown) => {
	writeFileSync(file(name), typeof document === 'string' ? document : JSON.stringify(document));
	return file(name);
};
const good = {
	version: 1, model: `path:${folder}`, prompt: { text: 'The red box has the code 4417.' }, generate: { tokens: 3 },
	arms: [{ stack: [{ method: 'snapkv', params: { budget: { tokens: 12 }, window: 4 } }] }], report: ['steps', 'bill', 'kept', 'logits']
};

beforeAll(async () => {
	const source = randomLlama(TINY, HF_RANDOM);
	for (const name of ['config.json', 'tokenizer.json']) write(name, await source.json(name));
	writeFileSync(file('model.safetensors'), new Uint8Array((await source.bytes('model.safetensors')) as ArrayBuffer));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** As a user would call it: a process of its own. */
function spawned(...args: string[]): Promise<{ code: number; out: string; err: string }> {
	return new Promise((resolve) => {
		execFile(process.execPath, ['scripts/run-ts.mjs', 'src/cli/main.ts', ...args], { cwd: ROOT, maxBuffer: 1 << 26 },
			(error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }));
	});
}

describe('winnow as a process', () => {
	it('prints one JSON object and nothing else', async () => {
		const { code, out } = await spawned('run', write('good.json', good), '--weights', 'f16');
		expect(code).toBe(0);
		const result = JSON.parse(out) as Result;
		expect(result.version).toBe(1);
		expect(result.experiment.generate).toEqual({ tokens: 3, temperature: 0, topK: 0, topP: 1, seed: 0 });
		expect(result.engine).toMatchObject({ backend: 'wasm', precision: 'f32', weights: 'f16' });
		expect(result.reference.tokens).toHaveLength(3);
		expect(result.reference.bytes.fp16).toBe((31 + 2) * 2 * 2 * 16 * 4);
		const [arm] = result.arms;
		expect(arm.kept!.flat().map((head) => head.length)).toEqual([12, 12, 12, 12]);
		expect(arm.steps).toHaveLength(3);
		expect(arm.logits).toHaveLength(3);
		expect(arm.logits![0]).toHaveLength(320);
		expect(Object.values(arm.bill!.items).reduce((a, b) => a + b)).toBe(arm.bill!.total);
		expect(Object.keys(result.timings)).toEqual(['load', 'prefill', 'perToken']);
		// Full precision: doubles that are no short decimals.
		expect(String(arm.steps![0].kl).length).toBeGreaterThan(10);
	});

	it('ends with 2 and the place for a broken document, with nothing on standard output', async () => {
		const { code, out, err } = await spawned('run', write('broken.json', { ...good, arms: [{ stack: [{ method: 7 }] }] }));
		expect([code, out]).toEqual([2, '']);
		expect(err.trim()).toBe('arms[0].stack[0].method: expected the id of a method, such as "snapkv", found 7');
	});
});

describe('winnow', () => {
	const said = caught();

	it.each([
		['a file that is no JSON', () => '{"version": 1,', /^expected a JSON document; /],
		['an unknown key', () => ({ ...good, prompts: 1 }), /^prompts: unknown key; expected only version, model/],
		['an unknown method', () => ({ ...good, arms: [{ stack: [{ method: 'snapkw' }] }] }), /^arms\[0\]\.stack\[0\]\.method: expected one of .*snapkv/],
		['a wrong parameter', () => ({ ...good, arms: [{ stack: [{ method: 'snapkv', params: { kernel: 4 } }] }] }), /^arms\[0\]\.stack\[0\]\.params\.kernel: expected an odd whole number from 1 to 63, got 4/],
		['a directory without a model', () => ({ ...good, model: `path:${join(folder, 'nothing')}` }), /^model: There is no config\.json at .*A model directory holds/],
		['a model that is not there', () => ({ ...good, model: 'nanobot' }), /^model: There is no config\.json at .*nanobot/],
		['a prompt longer than the context', () => ({ ...good, prompt: { text: 'a'.repeat(300) } }), /^prompt: expected at most 256 tokens, the context of .*found 301/],
		['more tokens than the context holds', () => ({ ...good, generate: { tokens: 250 } }), /^generate\.tokens: expected at most 226 tokens after a prompt of 31/],
		['a task that does not exist', () => ({ ...good, prompt: { task: 'haystack', seed: 1 } }), /^prompt: There is no task "haystack"; the tasks are needle/]
	])('refuses %s with 2', async (_what, document, message) => {
		expect(await main(['run', write('wrong.json', document())])).toBe(2);
		expect(said.out).toBe('');
		expect(said.err).toMatch(message);
	});

	it('tells a wrong call from a right one', async () => {
		for (const args of [[], ['walk'], ['run'], ['run', file('no.json')], ['run', file('good.json'), '--backend', 'metal'], ['run', file('good.json'), '--weights', 'int3'], ['run', file('good.json'), '--fast', '1'], ['methods', 'snapkw']]) {
			expect(await main(args)).toBe(2);
		}
		expect(said.out).toBe('');
		expect(said.err.split('\n')).toContain('--backend must be one of wasm, cpu, webgpu, not metal');
		expect(said.err.split('\n')).toContain('--weights must be one of f32, f16, int8, int4, not int3');
		expect(await main(['--help'])).toBe(0);
		expect(said.out).toContain('npm run winnow -- run FILE.json');
	});

	it('ends with 1 when something else goes wrong', async () => {
		const broken = mkdtempSync(join(tmpdir(), 'winnow-'));
		for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) writeFileSync(join(broken, name), readFileSync(file(name)));
		const out = join(broken, 'no-such-folder', 'out.json');
		expect(await main(['record', write('good2.json', { ...good, model: `path:${broken}` }), out])).toBe(1);
		expect(said.err).toMatch(/no-such-folder/);
		rmSync(broken, { recursive: true });
	});

	it('lists methods and prints tasks', async () => {
		expect(await main(['methods'])).toBe(0);
		for (const id of methods.keys()) expect(said.out).toContain(`${id}: `);
		said.out = '';
		expect(await main(['methods', 'snapkv', '--json'])).toBe(0);
		expect(JSON.parse(said.out)[0].params.window.default).toBe(32);
		said.out = '';
		expect(await main(['task', 'needle', '--seed', '3', '--length', '400', '--model', `path:${folder}`])).toBe(0);
		expect(said.out).toMatch(/\nQ: .*\nA:\n$/);
		said.out = '';
		expect(await main(['task', 'needle', '--seed', '3', '--length', '400', '--json', '--model', `path:${folder}`])).toBe(0);
		expect(JSON.parse(said.out).prompt).toContain(JSON.parse(said.out).answer.trim().replace('.', ''));
	});

	it('records a run with its probes', async () => {
		expect(await main(['record', write('good3.json', good), file('run.json'), '--probes', 'attention:1:0,matrix:0:1,heads,lost,types'])).toBe(0);
		const { trace, probes } = readRecording(readFileSync(file('run.json'), 'utf8'));
		expect(trace.provenance).toBe('recorded');
		expect(trace.arms[0].steps).toHaveLength(3);
		expect(Object.keys(probes)).toEqual(['attention:0:1:0', 'matrix:0:0:1:K:after', 'matrix:0:0:1:K:before', 'matrix:0:0:1:V:after', 'heads:0:2', 'heads:0:0', 'lost:0', 'types']);
	});

	it('records as many probes as fit', async () => {
		const document = write('good4.json', { ...good, arms: [...good.arms, { stack: [{ method: 'kivi', params: { group: 16, residual: 16 } }] }] });
		const keys: string[][] = [];
		for (const size of [1, 30_000, 1_000_000]) {
			expect(await main(['record', document, file('sized.json'), '--size', String(size)])).toBe(0);
			const text = readFileSync(file('sized.json'), 'utf8');
			if (size > 1) expect(text.length).toBeLessThanOrEqual(size);
			keys.push(Object.keys(readRecording(text).probes));
		}
		expect(keys[0]).toEqual([]);
		expect(keys[1].length).toBeGreaterThan(0);
		expect(keys[2].length).toBeGreaterThan(keys[1].length);
		// Attention of the first look in both arms, and a matrix of the arm that encodes.
		expect(keys[2]).toEqual(expect.arrayContaining(['attention:0:1:0', 'attention:1:1:1', 'matrix:1:1:0:K:after', 'spectrum:0:0:1', 'heads:1:2']));
		expect(keys[2]).not.toContain('matrix:0:1:0:K:after');
	});
});
