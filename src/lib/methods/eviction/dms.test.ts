import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import type { StepView } from '../define.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';

const d = TINY.headDim;
const N = 60;
const full = randomArm(N);
const spec = (params: object) => [{ method: 'dms', params: { window: 12, threshold: -2.8, ...params } }];
const positionsOf = (rig: Rig) => rig.arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));
const scoreOf = (layer: number, head: number, position: number) => -Math.hypot(...full.layers[layer].keys(head).subarray(position * d, (position + 1) * d));

describe('dms', () => {
	it('drops what lies below the bar, outside the window', () => {
		const found = positionsOf(new Rig(full, spec({})).prefill());
		const gone = found.flatMap((heads, layer) => heads.map((positions, head) => {
			const wanted = Array.from({ length: N }, (_, p) => p).filter((p) => p >= N - 12 || scoreOf(layer, head, p) >= -2.8);
			expect(positions).toEqual(wanted);
			return N - positions.length;
		}));
		expect(Math.min(...gone)).toBeGreaterThan(0);
		expect(new Set(gone).size).toBeGreaterThan(1);
	});

	it('with the lowest bar nothing goes, with the highest exactly the window stays, at every step', () => {
		const low = new Rig(full, spec({ threshold: -1000 })).prefill();
		const high = new Rig(full, spec({ threshold: 1000 })).prefill();
		for (let step = 1; step <= 20; step++) {
			low.decode();
			high.decode();
			for (const heads of positionsOf(low)) for (const positions of heads) expect(positions).toHaveLength(N + step);
			for (const heads of positionsOf(high)) for (const positions of heads) {
				expect(positions).toEqual(Array.from({ length: 12 }, (_, i) => N + step - 12 + i));
			}
			expectBillIsPacked(high.arm);
		}
		expect(low.arm.bill().items.state).toBe(0);
		expect(high.arm.bill().items.state).toBe(4 * 12 * TINY.layers * TINY.kvHeads);
	});

	it('never drops the window', () => {
		const rig = new Rig(full, spec({})).prefill();
		for (let step = 1; step <= 30; step++) {
			rig.decode();
			for (const heads of positionsOf(rig)) for (const positions of heads) {
				expect(positions.slice(-12)).toEqual(Array.from({ length: 12 }, (_, i) => N + step - 12 + i));
			}
		}
	});

	it('step by step drops the same as one reading of the same tokens', () => {
		const whole = positionsOf(new Rig(full, spec({})).prefill());
		const begin = 25;
		const short = randomArm(N).fork();
		for (const layer of short.layers) for (const head of [0, 1]) layer.keep(head, Array.from({ length: begin }, (_, i) => i));
		const rig = new Rig(short, spec({}));
		const seen = (n: number) => ({ n, model: TINY, rope: full.rope });
		rig.arm.layers.forEach((layer) => rig.instances[0].prefilled!(layer, seen(begin) as never));
		for (let position = begin; position < N; position++) {
			rig.arm.layers.forEach((layer, l) => {
				for (const head of [0, 1]) {
					const row = (block: Float32Array) => block.slice(position * d, (position + 1) * d);
					rig.arm.append(l, head, row(full.layers[l].keys(head)), row(full.layers[l].values(head)), position, position);
				}
				rig.instances[0].appended!(layer, { step: position - begin, position } as StepView);
			});
		}
		expect(positionsOf(rig)).toEqual(whole);
	});

	it('lets the cache grow when told not to judge while writing', () => {
		const rig = new Rig(full, spec({ threshold: 1000, decoding: false })).prefill();
		for (let step = 0; step < 5; step++) rig.decode();
		for (const heads of positionsOf(rig)) for (const positions of heads) expect(positions).toHaveLength(17);
	});
});
