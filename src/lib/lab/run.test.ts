import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MethodSpec } from '$lib/documents/experiment.ts';
import { cellsAt, isStored } from '$lib/documents/read.ts';
import { PlainMemory } from '$lib/model/index.ts';
import { Lab } from './lab.ts';
import { experiment, TEXT, TINY, tinyLab } from './testing.ts';

let lab: Lab;
beforeAll(async () => {
	lab = await tinyLab('wasm');
});
afterAll(() => lab.dispose());

const N = TEXT.length + 1;
const SNAP: MethodSpec = { method: 'snapkv', params: { budget: { fraction: 0.25 }, window: 8 } };
const FORCED = 'The red box is here. ';

async function finished(parts: Record<string, unknown>, on = lab) {
	const run = await on.start(experiment(parts));
	await run.advance();
	run.dispose();
	return run;
}

/** Logits of the plain forward pass over all tokens at once, one row a token. */
async function plainLogits(ids: number[]): Promise<Float32Array[]> {
	const memory = new PlainMemory(lab.loaded.shape, 1, ids.length);
	const { logits } = await lab.loaded.decoder.forward(Int32Array.from(ids), { batch: 1, tokens: ids.length, start: Int32Array.of(0) }, memory, { allLogits: true });
	const all = (await logits.data()) as Float32Array;
	logits.dispose();
	memory.dispose();
	return ids.map((_, t) => all.slice(t * 320, (t + 1) * 320));
}

function maxRelative(a: ArrayLike<number>, b: ArrayLike<number>): number {
	let difference = 0;
	let size = 0;
	for (let i = 0; i < a.length; i++) {
		difference = Math.max(difference, Math.abs(a[i] - b[i]));
		size = Math.max(size, Math.abs(b[i]));
	}
	return difference / size;
}

describe('a run', () => {
	it('with nothing taken away is bit for bit the full cache', async () => {
		const stacks: MethodSpec[][] = [
			[], [{ method: 'snapkv', params: { budget: { fraction: 1 } } }], [{ method: 'streaming-llm', params: { budget: { fraction: 1 } } }],
			[{ method: 'h2o', params: { budget: { fraction: 1 } } }], [{ method: 'rtn', params: { bitsK: 16, bitsV: 16 } }]
		];
		for (const forced of [undefined, FORCED]) {
			const { trace, result } = await finished({ arms: stacks.map((stack) => ({ stack })), forced, generate: { tokens: 12 }, report: ['logits', 'steps'] })
				.then((run) => ({ trace: run.trace, result: run.result() }));
			for (const [i, arm] of result.arms.entries()) {
				expect(arm.logits).toEqual(result.reference.logits);
				expect(arm.steps!.every((s) => s.kl === 0 && s.agrees)).toBe(true);
				expect(trace.arms[i].kept.flat().every((head) => head.length === N)).toBe(true);
			}
		}
	});

	it('says by cache what reading all tokens at once says', async () => {
		const run = await finished({ arms: [], forced: FORCED, report: ['logits'] });
		const { tokens, logits } = run.result().reference;
		const wanted = await plainLogits([...run.trace.prompt.ids, ...tokens]);
		expect(tokens).toHaveLength(FORCED.length);
		logits!.forEach((row, step) => expect(maxRelative(row, wanted[N - 1 + step])).toBeLessThan(1e-5));
	});

	it('measures an arm against the full cache fed the arm\'s own tokens', async () => {
		const free = await finished({ arms: [{ stack: [SNAP] }, { stack: [{ method: 'streaming-llm' }] }], generate: { tokens: 10 } });
		for (const [i, arm] of free.trace.arms.entries()) {
			const tokens = arm.steps.map((step) => step.token);
			const forced = await finished({ arms: [{ stack: [free.trace.experiment.arms[i].stack[0]] }], forced: { tokens } });
			expect(forced.trace.reference.steps.map((step) => step.token)).toEqual(tokens);
			forced.trace.arms[0].steps.forEach((step, s) => {
				expect(step.kl).toBeCloseTo(arm.steps[s].kl, 5);
				expect(step.nll).toBeCloseTo(arm.steps[s].nll, 4);
				expect(step.agrees).toBe(arm.steps[s].agrees);
			});
		}
		// Each arm went its own way: this test would say nothing otherwise.
		expect(free.trace.arms[0].text).not.toBe(free.trace.reference.text);
	});

	it('takes forced tokens in every row and scores them', async () => {
		const run = await finished({ arms: [{ stack: [SNAP] }], forced: FORCED, generate: { tokens: 3 } });
		const { reference, arms } = run.trace;
		expect(reference.text).toBe(FORCED);
		expect(arms[0].text).toBe(FORCED);
		expect(arms[0].steps).toHaveLength(FORCED.length);
		expect(arms[0].steps.map((s) => s.text).join('')).toBe(FORCED);
		for (const step of reference.steps) {
			const taken = step.top.find(({ id }) => id === step.token);
			if (taken) expect(step.nll).toBeCloseTo(-Math.log(taken.p), 6);
		}
	});

	it('keeps floor(n f) slots a head, reports them, and pays for what there is', async () => {
		const run = await finished({ arms: [{ stack: [SNAP] }, { stack: [{ method: 'streaming-llm', params: { decode: true } }] }], generate: { tokens: 8 }, report: ['kept', 'bill'] });
		const kept = Math.floor(N * 0.25);
		const [snap, stream] = run.result().arms;
		for (const arm of [snap, stream]) {
			for (const head of arm.kept!.flat()) {
				expect(head).toHaveLength(kept);
				expect([...head].sort((a, b) => a - b)).toEqual(head);
			}
			for (const bill of [arm.bill!, arm.billAfterPrompt!]) expect(Object.values(bill.items).reduce((a, b) => a + b)).toBe(bill.total);
		}
		// Four heads, 16 channels of K and V in fp16 and two bytes of position a slot.
		const slot = 4 * (16 * 4 + 2);
		expect(snap.billAfterPrompt!.total).toBe(kept * slot);
		expect(snap.bill!.total).toBe((kept + 7) * slot);
		expect(stream.bill!.total).toBe(kept * slot);
		expect(run.trace.reference.bytes).toBe((N + 7) * 4 * 64);
		expect(snap.bill!.ratio).toBeCloseTo(run.trace.reference.bytes / snap.bill!.total, 12);
		const positions = stream.kept![0][0];
		expect(positions.slice(0, 4)).toEqual([0, 1, 2, 3]);
	});

	it('tells the fate of every cell at every step', async () => {
		const run = await lab.start(experiment({ arms: [{ stack: [SNAP] }, { stack: [{ method: 'h2o' }] }], generate: { tokens: 9 } }));
		await run.advance();
		for (const [i, arm] of run.trace.arms.entries()) {
			const kept = arm.kept[0][0].length;
			expect(arm.span).toBe(N + 8);
			for (let step = -1; step < 9; step++) {
				const cells = cellsAt(arm, step);
				const stored = cells.filter(isStored).length;
				expect(stored).toBe(4 * (i === 0 ? kept + Math.max(0, step) : kept));
				const absent = cells.filter((state) => state === 0).length;
				expect(absent).toBe(4 * (8 - Math.max(0, step)));
			}
			for (const verb of arm.verbs) expect(verb.decision).toBeDefined();
		}
		expect(run.trace.arms[1].verbs.filter((verb) => verb.step > 0).length).toBeGreaterThan(0);
		run.dispose();
	});

	it('ends a row at the end of its text, and goes on with the others', async () => {
		const plain = await finished({ arms: [{ stack: [SNAP] }], generate: { tokens: 12 } });
		const [reference, arm] = [plain.trace.reference, plain.trace.arms[0]].map((row) => row.steps.map((step) => step.token));
		const end = reference.slice(2, 8).find((token) => !arm.includes(token) && reference.indexOf(token) >= 2) as number;
		expect(end).toBeDefined();
		const other = new Lab({ ...lab.loaded, ends: [end] }, lab.engine, 0);
		const run = await finished({ arms: [{ stack: [SNAP] }], generate: { tokens: 12 } }, other);
		const at = reference.indexOf(end);
		expect(run.trace.reference.steps.map((step) => step.token)).toEqual(reference.slice(0, at + 1));
		expect(run.trace.arms[0].steps.map((step) => step.token)).toEqual(arm);
		expect(run.trace.reference.bytes).toBe((N + at) * 4 * 64);
		// And the other way round: the run is over when all rows are.
		const both = new Lab({ ...lab.loaded, ends: [end, arm[1]] }, lab.engine, 0);
		const short = await finished({ arms: [{ stack: [SNAP] }], generate: { tokens: 12 } }, both);
		expect(short.trace.arms[0].steps).toHaveLength(arm.indexOf(arm[1]) + 1);
		expect(short.trace.done).toBe(true);
		expect(short.trace.arms[0].steps.at(-1)!.kl).toBe(plain.trace.arms[0].steps[arm.indexOf(arm[1])].kl);
	});

	it('draws the same with the same seed, and the same as the full cache where the distribution is the same', async () => {
		const generate = { tokens: 12, temperature: 1.2, topK: 40, topP: 0.95, seed: 5 };
		const run = await finished({ arms: [{ stack: [] }, { stack: [SNAP] }], generate });
		const again = await finished({ arms: [{ stack: [] }, { stack: [SNAP] }], generate });
		const other = await finished({ arms: [], generate: { ...generate, seed: 6 } });
		const tokens = (r: typeof run) => [r.trace.reference, ...r.trace.arms].map((row) => row.steps.map((step) => step.token));
		expect(tokens(again)).toEqual(tokens(run));
		expect(tokens(run)[1]).toEqual(tokens(run)[0]);
		expect(tokens(run)[2]).not.toEqual(tokens(run)[0]);
		expect(tokens(other)[0]).not.toEqual(tokens(run)[0]);
	});

	it('goes step by step, can be stopped between steps, and gets to the same end', async () => {
		const parts = { arms: [{ stack: [SNAP] }], generate: { tokens: 6 } };
		const whole = await finished(parts);
		const run = await lab.start(experiment(parts));
		const stop = new AbortController();
		const seen: number[] = [];
		await expect(run.advance(6, (update) => {
			seen.push(update.step);
			if (update.step === 1) stop.abort();
		}, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
		expect(seen).toEqual([0, 1]);
		await run.advance(1);
		expect(run.trace.done).toBe(false);
		await run.advance();
		expect(run.trace.done).toBe(true);
		const timeless = (trace: typeof run.trace) => ({ ...trace, timings: null });
		expect(timeless(run.trace)).toEqual(timeless(whole.trace));
		run.dispose();
	});

	it('holds no more tensors after 30 steps than after 3, and none after its end', async () => {
		const before = tf.memory().numTensors;
		const arms = [SNAP, { method: 'h2o' }, { method: 'kivi', params: { group: 16, residual: 16 } }, { method: 'momentkv' }, { method: 'quest' }];
		const run = await lab.start(experiment({ arms: arms.map((spec) => ({ stack: [spec] })), generate: { tokens: 34 } }), { record: true });
		await run.advance(3);
		const early = tf.memory().numTensors;
		await run.advance(30);
		expect(tf.memory().numTensors).toBe(early);
		run.dispose();
		expect(tf.memory().numTensors).toBe(before);
	});
});

describe('a prompt that is read in blocks', () => {
	it('gives the same as at once when nothing is taken away', async () => {
		const run = await finished({ arms: [{ stack: [] }], forced: FORCED, prefill: { block: 20 } });
		for (const step of run.trace.arms[0].steps) expect(step.kl).toBeLessThan(1e-9);
		const atOnce = await finished({ arms: [{ stack: [SNAP] }], forced: FORCED });
		const oneBlock = await finished({ arms: [{ stack: [SNAP] }], forced: FORCED, prefill: { block: 500 } });
		expect(oneBlock.trace.arms).toEqual(atOnce.trace.arms);
	});

	it('compresses at the end of every block', async () => {
		const arms = [{ stack: [SNAP] }, { stack: [{ method: 'h2o' }] }, { stack: [{ method: 'kivi', params: { group: 16, residual: 16 } }] }];
		const run = await finished({ arms, generate: { tokens: 5 }, prefill: { block: 30 }, report: ['kept'] });
		const atOnce = await finished({ arms, generate: { tokens: 5 }, report: ['kept'] });
		for (const i of [0, 1]) {
			expect(run.trace.arms[i].kept.flat().every((head) => head.length === Math.floor(N * 0.25))).toBe(true);
			expect(run.trace.arms[i].kept).not.toEqual(atOnce.trace.arms[i].kept);
		}
		expect(run.trace.arms[2].kept).toEqual(atOnce.trace.arms[2].kept);
		expect(run.trace.arms[2].billAfterPrompt).toEqual(atOnce.trace.arms[2].billAfterPrompt);
	});
});

describe('an experiment that cannot be run', () => {
	it.each([
		['arms[1].stack[0].method: expected one of', { arms: [{ stack: [] }, { stack: [{ method: 'snapkw' }] }] }],
		['arms[0].stack[0].params.budgt: snapkv has no such parameter', { arms: [{ stack: [{ method: 'snapkv', params: { budgt: 1 } }] }] }],
		['arms[0].stack[0].params.budget.bytes: expected at least', { arms: [{ stack: [{ method: 'snapkv', params: { budget: { bytes: 10 } } }] }] }],
		['prompt: expected at most 256 tokens, the context of random, found 301', { prompt: { text: 'a'.repeat(300) } }],
		['generate.tokens: expected at most 160 tokens after a prompt of 97', { generate: { tokens: 161 } }],
		['forced: expected at most 160 tokens after a prompt of 97', { forced: 'a'.repeat(161) }],
		['prompt: There is no task "needles"', { prompt: { task: 'needles', seed: 1 } }],
		['prompt.tokens[1]: expected a token of the model, 0 to 319, found 320', { prompt: { tokens: [1, 320] } }]
	])('is refused before anything is computed: %s', async (message, parts) => {
		const { decoder } = lab.loaded;
		const untouchable = new Lab({ ...lab.loaded, decoder: Object.create(decoder, { forward: { value: () => expect.unreachable() } }) as typeof decoder }, lab.engine, 0);
		await expect(untouchable.start(experiment(parts))).rejects.toMatchObject({ name: 'DocumentError', message: expect.stringContaining(message) });
	});
});

describe('a task', () => {
	it('is read, its needle found, and its answer judged', async () => {
		const wide = await tinyLab('wasm', { ...TINY, max_position_embeddings: 1024 });
		const run = await finished({ prompt: { task: 'needle', seed: 3, length: 500 }, arms: [{ stack: [SNAP] }], generate: { tokens: 4 } }, wide);
		const { prompt, reference, arms } = run.trace;
		expect(prompt.ids.length).toBeGreaterThan(490);
		expect(prompt.ids.length).toBeLessThanOrEqual(500);
		expect(prompt.needles).toHaveLength(1);
		const [[from, to]] = prompt.needles;
		expect(`${prompt.texts.slice(from, to).join('')}.`).toBe(prompt.answer);
		expect(prompt.question).toMatch(/\?$/);
		expect(reference.task).toMatchObject({ correct: false });
		expect(arms[0].task).toMatchObject({ correct: false });
		wide.dispose();
	});
});
