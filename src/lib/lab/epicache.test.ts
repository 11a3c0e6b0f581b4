/** EpiCache where it is at home: in a prompt that is read in blocks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerbRecord } from '$lib/documents/trace.ts';
import type { Lab } from './lab.ts';
import { experiment, TEXT, tinyLab } from './testing.ts';

const N = TEXT.length + 1;
const BLOCK = 20;
let lab: Lab;
beforeAll(async () => {
	lab = await tinyLab('wasm');
});
afterAll(() => lab.dispose());

async function traceOf(params: object[], block: number | null = BLOCK) {
	const arms = params.map((each) => ({ stack: [{ method: 'epicache', params: { window: 12, question: 6, ...each } }] }));
	const run = await lab.start(experiment({ arms: [...arms, { stack: [] }], generate: { tokens: 3 }, prefill: { block } }));
	await run.advance();
	run.dispose();
	return run;
}

/** What a layer keeps after each block, by head: the records of its cuts in order. */
const cutsOf = (verbs: readonly VerbRecord[], layer: number, head: number) =>
	verbs.filter((record) => record.verb === 'keep' && record.layer === layer && record.head === head).map(({ positions }) => positions!.length);

describe('epicache', () => {
	it('is the plain reading in blocks where all fits', async () => {
		const result = (await traceOf([{ budget: { tokens: N } }, { budget: { fraction: 1 } }])).result();
		const plain = result.arms.at(-1)!;
		for (const arm of result.arms) expect(arm.tokens).toEqual(plain.tokens);
		const { trace } = await traceOf([{ budget: { tokens: N } }]);
		expect(trace.arms[0].steps.map(({ kl }) => kl)).toEqual(trace.arms[1].steps.map(({ kl }) => kl));
		expect(trace.arms[0].verbs).toEqual([]);
	});

	it('cuts back to the budget after every block, and never holds more than a block above it', async () => {
		const { trace } = await traceOf([{ budget: { tokens: 24 } }, { budget: { tokens: 24 }, mode: 'pair-uniform' }]);
		const [pair, uniform] = trace.arms;
		for (let layer = 0; layer < 2; layer++) {
			for (const head of [0, 1]) expect(cutsOf(uniform.verbs, layer, head)).toEqual([24, 24, 24, 24]);
			// 97 tokens in blocks of 20: four of the five ends are above the budget. Heads differ, the layer does not.
			const lengths = [0, 1].map((head) => pair.kept[layer][head].length);
			expect(lengths[0] + lengths[1]).toBe(48);
			expect(cutsOf(pair.verbs, layer, 0).length + cutsOf(pair.verbs, layer, 1).length).toBeGreaterThanOrEqual(4);
			for (const head of [0, 1]) expect(pair.kept[layer][head].slice(-6)).toEqual(Array.from({ length: 6 }, (_, i) => N - 6 + i));
		}
		for (const { decision } of pair.verbs) {
			// At the moment of a choice: what was kept and one block.
			expect(decision!.positions.length).toBeLessThanOrEqual(48 + BLOCK);
			expect(decision!.scores.every((score) => score >= 0 && score <= 1)).toBe(true);
		}
	});

	it('reads over what each arm has kept, so blocks choose otherwise than the whole', async () => {
		const [blocks, whole] = [await traceOf([{ budget: { tokens: 24 } }]), await traceOf([{ budget: { tokens: 24 } }], null)];
		expect(blocks.trace.arms[0].kept).not.toEqual(whole.trace.arms[0].kept);
	});

	it('has layers of unequal length when asked, in the same sum', async () => {
		const { trace } = await traceOf([{ budget: { tokens: 24 }, power: 1.1, mode: 'pair-uniform' }]);
		const lengths = trace.arms[0].kept.map(([head]) => head.length);
		expect(lengths[0]).not.toBe(lengths[1]);
		expect(lengths[0] + lengths[1]).toBeLessThanOrEqual(48);
	});
});
