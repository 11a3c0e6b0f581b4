import { describe, expect, it } from 'vitest';
import { channelCodec } from '$lib/cache/codecs/channels.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { roundToHalf } from '$lib/numerics/half.ts';
import { expectBillIsPacked } from '../testing/untouched.ts';
import { promptView, Rig } from '../testing/views.ts';
import think, { channelWorth } from './think.ts';

const d = TINY.headDim;
const N = 60;
const full = randomArm(N);
const rig = new Rig(full, []);
const pressed = (params: object, stack: unknown[] = []) => new Rig(full, [...stack, { method: 'think', params }]).prefill();

/** Worth of the channels, number by number. */
function worth(layer: number, head: number, window: number): number[] {
	const keys = full.layers[layer].keys(head);
	return Array.from({ length: d }, (_, c) => {
		let [key, query] = [0, 0];
		for (let j = 0; j < N; j++) key += keys[j * d + c] ** 2 / N;
		for (const queryHead of [2 * head, 2 * head + 1]) {
			for (let i = N - window; i < N; i++) query += rig.queries(layer, queryHead)[i * d + c] ** 2 / window / 2;
		}
		return key * query;
	});
}
/** Channels that are 0 in all of the first `rows` keys. */
const zeroChannels = (keys: Float32Array, rows: number) =>
	Array.from({ length: d }, (_, c) => c).filter((c) => Array.from({ length: rows }, (_, j) => keys[j * d + c]).every((x) => x === 0));

describe('channelCodec', () => {
	const block = fixtureNormal('block', 5 * 12);
	const kept = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1];
	it('stores the kept channels in halves and the mask, and nothing else', () => {
		const codec = channelCodec(kept);
		const payload = codec.encode(block, 5, 12);
		expect(payload.parts.map(({ item, array }) => [item, array.byteLength])).toEqual([['payload', 5 * 8 * 2], ['indices', 2]]);
		expect(Array.from(codec.decode(payload))).toEqual(Array.from(block, (x, at) => (kept[at % 12] ? roundToHalf(x) : 0)));
		const rows = codec.keepRows!(payload, [1, 4]);
		expect(codec.decode(rows)).toEqual(Float32Array.from([...codec.decode(payload).slice(12, 24), ...codec.decode(payload).slice(48, 60)]));
		expect(rows.parts[1].array).toBe(payload.parts[1].array);
	});
	it('refuses what it cannot hold', () => {
		expect(() => channelCodec([0, 0])).toThrow(RangeError);
		expect(() => channelCodec(kept).encode(block, 4, 12)).toThrow(RangeError);
	});
});

describe('think', () => {
	it('drops exactly the least channels of each head and leaves values alone', () => {
		const { arm } = pressed({ ratio: 0.5, window: 6, recent_size: 10 });
		arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
			const scores = worth(l, head, 6);
			const least = scores.map((_, c) => c).sort((a, b) => scores[a] - scores[b]).slice(0, 4).sort((a, b) => a - b);
			const keys = layer.keys(head);
			expect(zeroChannels(keys, N - 10)).toEqual(least);
			expect(zeroChannels(keys.slice((N - 10) * d), 10)).toEqual([]);
			expect(keys.slice((N - 10) * d)).toEqual(full.layers[l].keys(head).slice((N - 10) * d));
			expect(layer.values(head)).toEqual(full.layers[l].values(head));
			const found = channelWorth(full.layers[l], promptView(full, l, (h) => rig.queries(l, h)), head, 6);
			found.forEach((value, c) => expect(value).toBeCloseTo(scores[c], 6));
			// No other set of channels that size is worth more.
			const lost = least.reduce((sum, c) => sum + scores[c], 0);
			for (let mask = 0; mask < 2 ** d; mask++) {
				const set = scores.map((_, c) => c).filter((c) => (mask >> c) & 1);
				if (set.length === 4) expect(set.reduce((sum, c) => sum + scores[c], 0)).toBeGreaterThanOrEqual(lost);
			}
		}));
	});

	it('really saves the bytes: (n - recent)(d - p) halves and a mask', () => {
		const whole = new Rig(full, []).prefill().arm.bill().total;
		const heads = TINY.layers * TINY.kvHeads;
		for (const [ratio, p] of [[0.25, 2], [0.5, 4]]) {
			const { arm } = pressed({ ratio, recent_size: 12 });
			expect(arm.bill().total).toBe(whole - heads * ((N - 12) * p * 2 - d / 8));
			expectBillIsPacked(arm);
		}
	});

	it('after an eviction keeps the product of both shares', () => {
		const { arm } = pressed({ ratio: 0.5, recent_size: 0 }, [{ method: 'snapkv', params: { budget: { fraction: 0.5 }, window: 8 } }]);
		const { payload, window } = arm.bill().items;
		expect((payload + window) / (N * 4 * d * TINY.layers * TINY.kvHeads)).toBeCloseTo(0.5 * (1 - 0.5 / 2), 10);
	});

	it('says beforehand what a head will weigh', () => {
		for (const [ratio, recent_size] of [[0.5, 0], [0.25, 12], [0.4, 100]]) {
			const params = { ratio, recent_size, window: 8 };
			const { arm } = pressed(params);
			expect(arm.bill().total).toBe(TINY.layers * TINY.kvHeads * think.bytesOfHead!(params, TINY)!(N));
		}
	});

	it('keeps its bytes when tokens leave later, and prunes no new key', () => {
		const rig = new Rig(full, [{ method: 'think', params: { ratio: 0.5, recent_size: 8 } }, { method: 'streaming-llm', params: { budget: { tokens: 40 } } }]).prefill();
		for (let step = 0; step < 12; step++) {
			rig.decode();
			expectBillIsPacked(rig.arm);
			for (const layer of rig.arm.layers) {
				const exact = layer.exact(0, 'K');
				layer.positions(0).forEach((position, slot) => expect(exact[slot]).toBe(position >= N - 8 ? 1 : 0));
			}
		}
	});

	it('errs less and less as fewer channels go, and not at all at 0', () => {
		const off = [0.75, 0.5, 0.25, 0.125, 0].map((ratio) => {
			const { arm } = pressed({ ratio, recent_size: 0 });
			const [keys, exact] = [arm.layers[0].keys(0), full.layers[0].keys(0)];
			const query = rig.queries(0, 0).slice((N - 1) * d);
			let sum = 0;
			for (let j = 0; j < N; j++) {
				let dot = 0;
				for (let c = 0; c < d; c++) dot += query[c] * (keys[j * d + c] - exact[j * d + c]);
				sum += dot * dot;
			}
			return Math.sqrt(sum / N);
		});
		off.slice(1).forEach((value, i) => expect(value).toBeLessThan(off[i]));
		expect(off.at(-1)).toBe(0);
	});
});
