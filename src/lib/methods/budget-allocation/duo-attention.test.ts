import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { randomSupplies } from '../testing/supplies.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';
import { streamingHeads } from './duo-attention.ts';

const N = 60;
const rigOf = (params: object, method = 'duo-attention') => new Rig(randomArm(N), [{ method, params }]).prefill();
const lengths = (rig: Rig) => rig.arm.layers.flatMap((layer) => [0, 1].map((head) => layer.length(head)));

describe('streamingHeads', () => {
	it('takes the lowest scores, the earlier of equal ones, as many as Python would', () => {
		expect(Array.from(streamingHeads([0.3, 0.1, 0.9, 0.1], 0.5))).toEqual([0, 1, 0, 1]);
		expect(Array.from(streamingHeads([1, 1, 1, 1], 0.5))).toEqual([1, 1, 0, 0]);
		expect(streamingHeads([1, 2, 3, 4, 5], 0.5).filter(Boolean)).toHaveLength(2);
		expect(streamingHeads([1, 2, 3], 0.5).filter(Boolean)).toHaveLength(2);
		expect(streamingHeads([1, 2, 3], 0).some(Boolean)).toBe(false);
		expect(streamingHeads([1, 2, 3], 1).every(Boolean)).toBe(true);
	});
});

describe('duo-attention', () => {
	it('streams the heads with the lowest scores of all layers and leaves the others whole', () => {
		const scores = randomSupplies(TINY, 'rig').shipped('head-patterns').retrieval;
		const low = [...scores].sort((a, b) => a - b).slice(0, 2);
		const rig = rigOf({ sink: 3, recent: 12 });
		for (let step = 0; step <= 15; step++) {
			expect(lengths(rig)).toEqual(Array.from(scores, (score) => (low.includes(score) ? 15 : N + step)));
			rig.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
				if (!low.includes(scores[2 * l + head])) return;
				expect(Array.from(layer.positions(head))).toEqual([0, 1, 2, ...Array.from({ length: 12 }, (_, i) => N + step - 12 + i)]);
			}));
			expectBillIsPacked(rig.arm);
			rig.decode();
		}
	});

	it('with all heads is StreamingLLM, at every step', () => {
		const duo = rigOf({ head_ratio: 1, sink: 4, recent: 16 });
		const streaming = rigOf({ n_sink: 4, budget: { tokens: 20 } }, 'streaming-llm');
		for (let step = 0; step < 10; step++) {
			duo.arm.layers.forEach((layer, l) => [0, 1].forEach((head) => expect(layer.positions(head)).toEqual(streaming.arm.layers[l].positions(head))));
			expect(duo.arm.bill().total).toBe(streaming.arm.bill().total);
			duo.decode();
			streaming.decode();
		}
	});

	it('goes by the scores that were asked for', () => {
		const { area } = randomSupplies(TINY, 'rig').shipped('head-patterns');
		const streams = streamingHeads(area, 0.5);
		expect(lengths(rigOf({ scores: 'area', sink: 3, recent: 12 }))).toEqual(Array.from(streams, (flag) => (flag ? 15 : N)));
		expect(lengths(rigOf({ sink: 3, recent: 12 }))).not.toEqual(Array.from(streams, (flag) => (flag ? 15 : N)));
	});

	it('a text no longer than both ends stays whole', () => {
		expect(lengths(rigOf({ head_ratio: 1, sink: 20, recent: 40 }))).toEqual([N, N, N, N]);
	});
});
