import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArmSpec, MethodSpec } from '$lib/documents/experiment.ts';
import { MAX_ARMS } from '$lib/documents/schema.ts';
import type { Lab } from './lab.ts';
import { matchBytes, resolveMatches } from './match.ts';
import { nearest } from './nearest.ts';
import { planRun } from './plan.ts';
import { PromptRead, needsOfStack } from './prompt-read.ts';
import { experiment, TEXT, tinyLab } from './testing.ts';

let lab: Lab;
beforeAll(async () => {
	lab = await tinyLab('wasm');
});
afterAll(() => lab.dispose());

const N = TEXT.length + 1;
const FULL = N * 2 * 2 * 2 * 16 * 2;

/** Bytes after the prompt of one stack, by the run that everybody uses. */
async function bytesOf(stack: MethodSpec[]): Promise<number> {
	return (await bytesOfAll([stack]))[0];
}

/** The same of many, as arms of one run each time. */
async function bytesOfAll(stacks: MethodSpec[][]): Promise<number[]> {
	const bytes: number[] = [];
	for (let from = 0; from < stacks.length; from += MAX_ARMS) {
		const run = await lab.start(experiment({ arms: stacks.slice(from, from + MAX_ARMS).map((stack) => ({ stack })), generate: { tokens: 1 } }));
		run.dispose();
		bytes.push(...run.trace.arms.map(({ billAfterPrompt }) => billAfterPrompt.total));
	}
	return bytes;
}

async function resolved(...arms: ArmSpec[]) {
	return resolveMatches(lab, experiment({ arms, generate: { tokens: 1 } }));
}

describe('matchBytes', () => {
	const budgets: [string, (tokens: number) => MethodSpec[]][] = [
		['snapkv', (tokens) => [{ method: 'snapkv', params: { budget: { tokens }, window: 8 } }]],
		['adakv', (tokens) => [{ method: 'adakv', params: { budget: { tokens } } }]],
		['momentkv', (tokens) => [{ method: 'momentkv', params: { budget: { tokens }, window: 8 } }]],
		['streaming-llm then rtn', (tokens): MethodSpec[] => [{ method: 'streaming-llm', params: { budget: { tokens } } }, { method: 'rtn', params: { group: 16 } }]]
	];
	it.each(budgets)('finds the budget of %s that brute force finds', async (_name, stack) => {
		const all = await bytesOfAll(Array.from({ length: N }, (_, i) => stack(i + 1)));
		for (const share of [0.8, 0.31, 0.1]) {
			const wanted = Math.round(FULL * share);
			const best = Math.min(...all.map((bytes) => Math.abs(bytes - wanted)));
			const { experiment: found, matches } = await resolved({ stack: stack(9), matchBytes: { bytes: wanted } });
			expect(Math.abs(matches[0]!.bytes - wanted)).toBe(best);
			expect(await bytesOf(found.arms[0].stack)).toBe(matches[0]!.bytes);
			expect(matches[0]!.difference).toBeCloseTo((100 * (matches[0]!.bytes - wanted)) / wanted, 9);
		}
	});

	it('finds bits and ranks that brute force finds', async () => {
		const bits = [2, 3, 4, 5, 6, 7, 8, 16];
		const pairs = bits.flatMap((b, i) => [[b, b], [bits[i + 1], b]]).filter(([k]) => k);
		const rtn = await bytesOfAll(pairs.map(([bitsK, bitsV]) => [{ method: 'rtn', params: { bitsK, bitsV, group: 16 } }]));
		const ranks = Array.from({ length: 16 }, (_, i) => i + 1);
		const svd = await bytesOfAll(ranks.flatMap((r) => [[r, r], [r, r + 1]]).map(([rankK, rankV]) => [{ method: 'svd-truncation', params: { rankK, rankV } }]));
		for (const share of [0.5, 0.33, 0.2]) {
			const wanted = Math.round(FULL * share);
			const { matches } = await resolved(
				{ stack: [{ method: 'rtn', params: { group: 16 } }], matchBytes: { bytes: wanted } }, { stack: [{ method: 'svd-truncation' }], matchBytes: { bytes: wanted } }
			);
			const best = (all: number[]) => Math.min(...all.map((bytes) => Math.abs(bytes - wanted)));
			expect(Math.abs(matches[0]!.bytes - wanted)).toBe(best(rtn));
			expect(Math.abs(matches[1]!.bytes - wanted)).toBe(best(svd));
		}
	});

	it('follows another arm, and that one a third', async () => {
		const { experiment: found, matches } = await resolved(
			{ stack: [{ method: 'knorm' }], matchBytes: { arm: 1 } }, { stack: [{ method: 'snapkv', params: { window: 8 } }], matchBytes: { arm: 2 } },
			{ stack: [{ method: 'streaming-llm', params: { budget: { tokens: 40 } } }] }
		);
		expect(found.arms.map(({ stack }) => stack[0].params!.budget)).toEqual([{ tokens: 40 }, { tokens: 40 }, { tokens: 40 }]);
		expect(found.arms[1].stack[0].params!.window).toBe(8);
		expect(found.arms.every((arm) => !('matchBytes' in arm))).toBe(true);
		expect(matches.map((match) => match?.outcome)).toEqual(['matched', 'matched', undefined]);
	});

	it('says which arms cannot be matched, and how far off they stay', async () => {
		const { matches } = await resolved(
			{ stack: [{ method: 'kivi', params: { group: 16, residual: 16 } }], matchBytes: { bytes: 1000 } }, { stack: [{ method: 'snapkv' }], matchBytes: { bytes: 10 * FULL } },
			{ stack: [{ method: 'quest', params: { page: 8, exempt: 0 } }], matchBytes: { bytes: FULL / 2 } }, { stack: [{ method: 'snapkv' }], matchBytes: { bytes: 66 * 4 + 100 } }
		);
		expect(matches.map((match) => match!.outcome)).toEqual(['least', 'most', 'fixed', 'coarse']);
		expect(matches[0]!.difference).toBeGreaterThan(100);
		// All but one token costs more than all: their positions have to be stored.
		expect(matches[1]!.bytes).toBe((N - 1) * 4 * (64 + 2));
	});

	it.each([
		['arms[0].matchBytes.arm: expected the index of an arm, 0 to 1, found 2', [{ stack: [{ method: 'knorm' }], matchBytes: { arm: 2 } }, { stack: [] }]],
		['arms[0].matchBytes.arm: expected an arm that does not wait for this one, found 0', [{ stack: [{ method: 'knorm' }], matchBytes: { arm: 0 } }]],
		['arms[1].matchBytes.arm: expected an arm that does not wait for this one, found 0', [{ stack: [{ method: 'knorm' }], matchBytes: { arm: 1 } }, { stack: [{ method: 'knorm' }], matchBytes: { arm: 0 } }]],
		['arms[1]: expected an arm with a method whose size can be chosen', [{ stack: [{ method: 'knorm' }] }, { stack: [], matchBytes: { arm: 0 } }]]
	])('refuses: %s', async (message, arms) => {
		await expect(resolved(...(arms as ArmSpec[]))).rejects.toThrow(message);
	});

	it('acts before the run, and the trace and the result say what was found', async () => {
		const arms: ArmSpec[] = [{ stack: [{ method: 'knorm' }], matchBytes: { arm: 1 } }, { stack: [{ method: 'snapkv', params: { budget: { tokens: 30 }, window: 8 } }] }];
		const run = await lab.start(experiment({ arms, generate: { tokens: 2 } }));
		await run.advance();
		run.dispose();
		expect(run.trace.experiment.arms).toEqual(arms);
		expect(run.trace.arms[0].stack[0].params!.budget).toEqual({ tokens: 30 });
		expect(run.trace.arms[0].billAfterPrompt.total).toBe(run.trace.arms[1].billAfterPrompt.total);
		expect(run.trace.arms[0].matched).toMatchObject({ outcome: 'matched', difference: 0, params: { budget: { tokens: 30 } } });
		expect(run.trace.arms[1]).not.toHaveProperty('matched');
		expect(run.result().arms[0].matched).toEqual(run.trace.arms[0].matched);
	});

	it('matches a prompt that is read in blocks by what each setting keeps', async () => {
		const { matches } = await resolveMatches(lab, experiment({
			arms: [{ stack: [{ method: 'snapkv', params: { window: 8 } }], matchBytes: { arm: 1 } }, { stack: [{ method: 'knorm', params: { budget: { tokens: 30 } } }] }], prefill: { block: 40 }
		}));
		expect(matches[0]).toMatchObject({ outcome: 'matched', params: { budget: { tokens: 30 } } });
	});
});

describe('a prompt that is read once', () => {
	it('gives each arm what it would have by itself', async () => {
		const stack = [{ method: 'knorm', params: { budget: { tokens: 7 } } }];
		const plan = planRun(experiment({ arms: [{ stack }] }), lab.model, lab.loaded.tokenizer);
		const read = await PromptRead.read(lab, plan, needsOfStack(plan.arms[0].stack));
		const [once, again] = [await read.start(plan.arms[0].stack, 0), await read.start(plan.arms[0].stack, 0)];
		expect(once.cache.bill()).toEqual(again.cache.bill());
		expect(once.cache.bill().total).toBe(await bytesOf(stack));
		expect(read.reference().cache.bill().total).toBe(FULL);
		expect((await matchBytes(read, plan.arms[0].stack, FULL, 0)).bytes).toBe(FULL);
	});
});

describe('nearest', () => {
	it('is what looking at all of them gives, with few questions', async () => {
		for (const count of [1, 2, 5, 16, 17, 40, 513]) {
			const costs = Array.from({ length: count }, (_, i) => Math.floor(i * 7.3) + 5);
			for (const wanted of [0, 5, 50, 100.4, costs[count - 1], 1e6]) {
				let asked = 0;
				const found = await nearest(count, async (i) => (asked++, costs[i]), wanted);
				const best = costs.reduce((best, cost, i) => (Math.abs(cost - wanted) < Math.abs(costs[best] - wanted) ? i : best), 0);
				expect(found).toEqual({ index: best, bytes: costs[best], least: costs[0], most: costs[count - 1] });
				expect(asked).toBeLessThanOrEqual(16);
			}
		}
	});
	it('takes the cheaper of two that are equally close, and the first of a plateau', async () => {
		expect((await nearest(2, async (i) => [90, 110][i], 100)).index).toBe(0);
		expect((await nearest(30, async (i) => (i < 10 ? i : 10), 10)).index).toBe(10);
	});
});
