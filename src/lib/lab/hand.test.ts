import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArmSpec, Edit, MethodSpec } from '$lib/documents/experiment.ts';
import { cellIndex, cellsAt, isStored } from '$lib/documents/read.ts';
import { CELL_STATES } from '$lib/documents/trace.ts';
import { methods } from '$lib/methods/registry.ts';
import type { Lab } from './lab.ts';
import { experiment, inRuns, TEXT, tinyLab, tinySpec } from './testing.ts';

const N = TEXT.length + 1;
const FORCED = 'The red box is he';
const STEPS = FORCED.length;
const SNAP: MethodSpec = { method: 'snapkv', params: { budget: { fraction: 0.3 }, window: 8 } };

let lab: Lab;
beforeAll(async () => {
	lab = await tinyLab('wasm');
});
afterAll(() => lab.dispose());

async function perform(arms: ArmSpec[], parts: Record<string, unknown> = {}) {
	const run = await lab.start(experiment({ arms, forced: FORCED, report: ['logits', 'kept', 'steps', 'bill'], ...parts }));
	await run.advance();
	run.dispose();
	return { trace: run.trace, result: run.result() };
}
const all = Array.from({ length: N }, (_, position) => position);
const others = (kept: readonly number[]) => all.filter((position) => !kept.includes(position));

describe('edits by hand', () => {
	it('that evict what a method evicts give the same logits, cache and bytes', async () => {
		const [snap] = (await perform([{ stack: [SNAP] }])).result.arms;
		const edits = (step: number, act: 'evict' | 'keep') => snap.kept!.flatMap((heads, layer) => heads.map((kept, head): Edit =>
			({ step, act, layer, head, positions: act === 'keep' ? kept : others(kept) })));
		const { result } = await perform([{ stack: [], edits: edits(-1, 'evict') }, { stack: [], edits: edits(0, 'evict') }, { stack: [], edits: edits(-1, 'keep') }]);
		for (const [i, arm] of result.arms.entries()) {
			expect(arm.logits).toEqual(snap.logits);
			expect(arm.bill).toEqual(snap.bill);
			// What is done before step 0 is done after the prompt was compressed.
			if (i !== 1) expect(arm.kept).toEqual(snap.kept);
		}
	});

	it('change nothing before their step, and something from it on', async () => {
		const at = 6;
		const plain: ArmSpec = { stack: [SNAP] };
		const first = (await perform([plain])).result.arms[0];
		const [kept, gone] = [first.kept![0][0], others(first.kept![0][0])];
		const edits: Edit[][] = [
			[{ step: at, act: 'evict', positions: kept.slice(0, 12), layer: 0, head: 0 }], [{ step: at, act: 'restore', positions: gone }],
			[{ step: at, act: 'pin', positions: gone.slice(0, 9) }], [{ step: at, act: 'keep', positions: kept.slice(-3) }]
		];
		const { result } = await perform(edits.map((list) => ({ ...plain, edits: list })));
		for (const arm of result.arms) {
			expect(arm.logits!.slice(0, at)).toEqual(first.logits!.slice(0, at));
			for (let step = at; step < STEPS; step++) expect(arm.logits![step]).not.toEqual(first.logits![step]);
			expect(arm.kept).toEqual(first.kept);
		}
	});

	it('that restore all give the full cache again, generated tokens included', async () => {
		const tokens = Array.from({ length: N + 3 }, (_, position) => position);
		const { result } = await perform([
			{ stack: [SNAP], edits: [{ step: 0, act: 'restore', positions: all }] },
			{ stack: [], edits: [{ step: 2, act: 'evict', positions: [3, 4, N - 1, N] }, { step: 4, act: 'restore', positions: tokens.slice(0, N + 2) }] }
		]);
		expect(result.arms[0].logits).toEqual(result.reference.logits);
		const second = result.arms[1].steps!;
		expect(second.slice(0, 2).every(({ kl }) => kl === 0)).toBe(true);
		expect(second[2].kl).toBeGreaterThan(0);
		// Tokens written while some were missing keep what they were computed from: their own numbers differ a little for good.
		expect(second[4].kl).toBeLessThan(second[3].kl);
	});

	it('pin a token on one head alone, whatever the method would do, at the same bytes', async () => {
		const first = (await perform([{ stack: [SNAP] }])).result.arms[0];
		const position = others(first.kept![1][0]).find((p) => !first.kept![1][1].includes(p))!;
		const { result, trace } = await perform([{ stack: [SNAP], edits: [{ step: -1, act: 'pin', positions: [position], layer: 1, head: 0 }] }]);
		const [arm] = result.arms;
		expect(arm.kept![1][0]).toContain(position);
		expect(arm.kept![1][0]).toHaveLength(first.kept![1][0].length);
		expect(arm.kept![1][1]).toEqual(first.kept![1][1]);
		const cells = cellsAt(trace.arms[0], STEPS - 1);
		const state = (head: number) => CELL_STATES[cells[cellIndex(trace.model, trace.arms[0].span, 1, head, position)]];
		expect([state(0), state(1)]).toEqual(['pinned', 'evicted']);
		expect(arm.billAfterPrompt!.total).toBe(first.billAfterPrompt!.total);
	});

	it('are recorded as the hand\'s, and a later word of the hand takes a pin back', async () => {
		const { trace } = await perform([{ stack: [], edits: [{ step: -1, act: 'pin', positions: [5] }, { step: 1, act: 'evict', positions: [5, 6], layer: 0, head: 1 }] }]);
		expect(trace.arms[0].verbs.map(({ verb, by, step, layer, head, positions }) => ({ verb, by, step, layer, head, positions: Array.from(positions) })))
			.toEqual([{ verb: 'evict', by: 'hand', step: 1, layer: 0, head: 1, positions: [5, 6] }]);
	});

	it('hold for a prompt that is read in blocks, and count when bytes are matched', async () => {
		const edits: Edit[] = [{ step: -1, act: 'pin', positions: [2, 90] }, { step: -1, act: 'keep', positions: [2, 30, 60, 90, 95] }];
		const blocks = await perform([{ stack: [SNAP], edits }], { prefill: { block: 24 } });
		for (const head of blocks.result.arms[0].kept!.flat()) for (const position of [2, 90]) expect(head).toContain(position);
		const { result } = await perform([{ stack: [], edits }, { stack: [SNAP], matchBytes: { arm: 0 } }]);
		expect(result.arms[1].kept!.flat().every((head) => head.length === 5)).toBe(true);
		// What the page tells the reader who chooses: keys and values in 2 bytes a number, 2 bytes of position.
		const { layers, kvHeads, headDim } = lab.model;
		expect(result.arms[0].billAfterPrompt!.total).toBe(layers * kvHeads * 5 * (4 * headDim + 2));
	});

	it('go with every method, and leave what they say', async () => {
		const edits: Edit[] = [
			{ step: -1, act: 'pin', positions: [4] }, { step: -1, act: 'evict', positions: [7], layer: 0, head: 1 }, { step: 0, act: 'evict', positions: [9, 95] },
			{ step: 2, act: 'restore', positions: [20, 21] }, { step: 3, act: 'evict', positions: [N], layer: 1 }
		];
		for (const ids of inRuns([...methods.keys()])) {
			const { trace } = await perform(ids.map((id) => ({ stack: [tinySpec(id)], edits })));
			trace.arms.forEach((arm, i) => {
				const stored = (step: number, layer: number, head: number, position: number) => isStored(cellsAt(arm, step)[cellIndex(trace.model, arm.span, layer, head, position)]);
				expect([ids[i], stored(STEPS - 1, 0, 0, 4), stored(0, 0, 1, 9), stored(0, 1, 1, 95), stored(3, 1, 0, N)]).toEqual([ids[i], true, false, false, false]);
			});
		}
	}, 240_000);

	it.each<[string, Edit]>([
		['arms[0].edits[0].positions[1]: expected the position of a token that has been read by then, 0 to 96, found 97', { step: 1, act: 'evict', positions: [3, N] }],
		['arms[0].edits[0].layer: expected a layer of', { step: 0, act: 'evict', positions: [3], layer: 2 }],
		['arms[0].edits[0].head: expected a KV head of', { step: 0, act: 'evict', positions: [3], head: 2 }],
		['arms[0].edits[0].step: expected 0 or more: before the prompt', { step: -1, act: 'restore', positions: [3] }],
		['arms[0].edits[0]: expected at least one token to stay in every head', { step: -1, act: 'evict', positions: all }]
	])('that cannot be are refused: %s', async (message, edit) => {
		await expect(lab.start(experiment({ arms: [{ stack: [], edits: [edit] }], forced: FORCED }))).rejects.toThrow(message);
	});
});
