import { describe, expect, it } from 'vitest';
import { ArmCache } from '$lib/cache/arm-cache.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { inverseFrequencies, rotation } from '$lib/numerics/rope.ts';
import { Rig } from '../testing/views.ts';

const d = TINY.headDim;
const HEADS = TINY.layers * TINY.kvHeads;
const count = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0);

/** sum (a - b)^2 / sum b^2 over the numbers that `pick` names. */
function relativeError(a: Float32Array, b: Float32Array, pick: (index: number) => boolean = () => true): number {
	let [off, all] = [0, 0];
	for (let i = 0; i < b.length; i++) {
		if (!pick(i)) continue;
		off += (a[i] - b[i]) ** 2;
		all += b[i] ** 2;
	}
	return off / all;
}

/** One layer, one KV head of `width` channels whose keys `change` may spoil. */
function wideArm(n: number, width: number, change: (x: number, token: number, channel: number) => number = (x) => x): ArmCache {
	const shape = { ...TINY, layers: 1, heads: 1, kvHeads: 1, headDim: width };
	const normal = fixtureNormal(`wide/${n}x${width}`, n * width);
	const keys = normal.map((x, i) => change(x, Math.floor(i / width), i % width));
	return ArmCache.fromPrompt({
		shape, n, keys: () => keys, values: () => normal, rope: rotation(inverseFrequencies(width, 10000))
	});
}
const keysAfter = (full: ArmCache, spec: unknown) => new Rig(full, [spec]).prefill().arm.layers[0].keys(0);

describe('rtn', () => {
	const rtn = (params: object) => ({ method: 'rtn', params: { bitsV: 16, ...params } });

	it.each([
		[2, 32, false, 0.1543], [3, 32, false, 0.0281], [4, 32, false, 0.00612], [4, 64, false, 0.00804],
		[2, 64, true, 0.515], [3, 64, true, 0.0631], [4, 32, true, 0.00942]
	])('has the textbook error on normal numbers: %i bits, groups of %i, symmetric %s', (bitsK, group, symmetric, wanted) => {
		// The fixture's "normal" has lighter tails than a normal; sums of several of them have not.
		const full = wideArm(2048, 64, (_, token, channel) => {
			const u = fixtureNormalTable(token, channel);
			return u;
		});
		const error = relativeError(keysAfter(full, rtn({ bitsK, group, symmetric })), full.layers[0].keys(0));
		expect(error).toBeGreaterThan(wanted * 0.96);
		expect(error).toBeLessThan(wanted * 1.04);
	});

	it('one loud channel ruins tokens but not channels; loud tokens ruin channels but not tokens', () => {
		const loudChannel = wideArm(1024, 64, (_, token, channel) => fixtureNormalTable(token, channel) * (channel === 7 ? 20 : 1));
		const loudTokens = wideArm(1024, 64, (_, token, channel) => fixtureNormalTable(token, channel) * Math.exp(0.6 * fixtureNormalTable(token, 99)));
		const error = (full: ArmCache, axisK: string, group: number) =>
			relativeError(keysAfter(full, rtn({ bitsK: 2, group, axisK })), full.layers[0].keys(0));
		const quiet = (full: ArmCache, axisK: string, group: number) =>
			relativeError(keysAfter(full, rtn({ bitsK: 2, group, axisK })), full.layers[0].keys(0), (i) => i % 64 !== 7);
		expect(quiet(loudChannel, 'token', 64)).toBeGreaterThan(2 * quiet(loudChannel, 'channel', 64));
		expect(quiet(loudChannel, 'channel', 64)).toBeLessThan(0.22);
		expect(error(loudTokens, 'channel', 64)).toBeGreaterThan(1.5 * error(loudTokens, 'token', 64));
		expect(error(loudTokens, 'token', 64)).toBeLessThan(0.22);
	});

	it('is charged b + 32/G bits a number, 16/G less when symmetric', () => {
		const bitsANumber = (params: object) => {
			const full = wideArm(128, 64);
			const { items } = new Rig(full, [{ method: 'rtn', params: { bitsK: 3, bitsV: 3, group: 32, ...params } }]).prefill().arm.bill();
			return (8 * (items.payload + items.scales + items.zeros)) / (2 * 128 * 64);
		};
		expect(bitsANumber({})).toBe(4);
		expect(bitsANumber({ symmetric: true })).toBe(3.5);
		expect(bitsANumber({ axisK: 'channel' })).toBe(4);
		expect(bitsANumber({ group: 64 })).toBe(3.5);
	});

	it('per channel keeps a tail of T mod G tokens exact, per token none, and both write once', () => {
		const rig = new Rig(randomArm(21), [{ method: 'rtn', params: { group: 8, axisK: 'channel' } }]).prefill();
		let before: Float32Array | null = null;
		for (let step = 0; step < 20; step++) {
			const layer = rig.arm.layers[1];
			const tokens = rig.arm.tokens;
			expect(count(layer.exact(1, 'K'))).toBe(tokens % 8);
			expect(count(layer.exact(1, 'V'))).toBe(0);
			const keys = layer.keys(1);
			if (before) expect(keys.slice(0, before.length)).toEqual(before);
			before = keys.slice(0, (tokens - (tokens % 8)) * d);
			rig.decode();
		}
	});

	it('bills the waiting tokens as window', () => {
		const arm = new Rig(randomArm(21), [{ method: 'rtn', params: { group: 8, axisK: 'channel' } }]).prefill().arm;
		expect(arm.bill().items.window).toBe(HEADS * 5 * d * 2);
	});
});

/** Standard normal numbers, each the sum of four of the fixture's. */
function fixtureNormalTable(token: number, channel: number): number {
	const at = (token * 100 + channel) * 4;
	let sum = 0;
	for (let i = 0; i < 4; i++) sum += table[at + i];
	return sum / 2;
}
const table = fixtureNormal('normal', 2048 * 100 * 4);

describe('kivi', () => {
	const kivi = (params: object = {}) => ({ method: 'kivi', params: { group: 8, residual: 16, ...params } });

	it('leaves a text shorter than the tail exact to the bit', () => {
		const rig = new Rig(randomArm(9), [kivi()]).prefill();
		const plain = new Rig(randomArm(9), []).prefill();
		for (let step = 0; step < 6; step++) {
			rig.decode();
			plain.decode();
			expect(rig.arm.layers[0].keys(0)).toEqual(plain.arm.layers[0].keys(0));
			expect(rig.arm.layers[0].values(1)).toEqual(plain.arm.layers[0].values(1));
		}
	});

	it('climbs the staircase: key tail T mod R, value tail R', () => {
		const rig = new Rig(randomArm(11), [kivi()]).prefill();
		for (let step = 0; step < 60; step++) {
			const { tokens } = rig.arm;
			for (const layer of rig.arm.layers) {
				expect(count(layer.exact(0, 'K'))).toBe(tokens % 16);
				expect(count(layer.exact(1, 'V'))).toBe(Math.min(tokens, 16));
				expect(Array.from(layer.exact(1, 'V')).lastIndexOf(0)).toBe(Math.max(0, tokens - 16) - 1);
			}
			rig.decode();
		}
	});

	it('is charged 3 bits a number for the encoded part at 2 bits and groups of 32, and fp16 for the tails', () => {
		const arm = new Rig(wideArm(128 + 5, 64), [{ method: 'kivi', params: { bits: 2 } }]).prefill().arm;
		const { items } = arm.bill();
		const encoded = 128 + (128 + 5 - 32);
		expect(8 * (items.payload + items.scales + items.zeros)).toBe(3 * 64 * encoded);
		expect(items.window).toBe(2 * 64 * (5 + 32));
	});

	it('has the textbook error per channel', () => {
		const full = wideArm(2048, 64, (_, token, channel) => fixtureNormalTable(token, channel));
		const error = (bits: number) => relativeError(keysAfter(full, { method: 'kivi', params: { bits } }), full.layers[0].keys(0));
		expect(Math.abs(error(2) / 0.1543 - 1)).toBeLessThan(0.04);
		expect(Math.abs(error(4) / 0.00612 - 1)).toBeLessThan(0.04);
	});

	it('a loud channel leaves every other exactly as it was', () => {
		const channelOf = (i: number) => i % 64;
		const quiet = keysAfter(wideArm(96, 64), { method: 'kivi' });
		const loud = keysAfter(wideArm(96, 64, (x, _, channel) => (channel === 7 ? 20 * x : x)), { method: 'kivi' });
		quiet.forEach((x, i) => channelOf(i) !== 7 && expect(loud[i]).toBe(x));
	});

	it('numbers that are all equal come back as they are, without NaN', () => {
		const full = wideArm(96, 64, (x, _, channel) => (channel === 3 ? 0.5 : x));
		const keys = keysAfter(full, { method: 'kivi' });
		for (let token = 0; token < 96; token++) expect(keys[token * 64 + 3]).toBe(0.5);
	});

	it('on a compressed cache works on the slots that are left', () => {
		const stack = [{ method: 'snapkv', params: { window: 4, budget: { tokens: 37 } } }, kivi()];
		const rig = new Rig(randomArm(80), stack).prefill();
		for (let step = 0; step < 12; step++) {
			const slots = 37 + step;
			for (const layer of rig.arm.layers) {
				expect(layer.length(0)).toBe(slots);
				expect(count(layer.exact(0, 'K'))).toBe(slots % 16);
				expect(count(layer.exact(0, 'V'))).toBe(16);
			}
			rig.decode();
		}
	});
});
