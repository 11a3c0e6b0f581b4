import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { Rig } from '../testing/views.ts';
import { addPair, answer, momentsLength, noMoments, readOut, residualNorm, type Moments } from './moments.ts';

const rows = (name: string, n: number, d: number, scale = 1) =>
	Array.from({ length: n }, (_, i) => fixtureNormal(`moment/${name}/${i}`, d).map((x) => x * scale));
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);
const norm = (x: ArrayLike<number>) => Math.sqrt(dot(x, x));

function momentsOf(keys: Float32Array[], values: Float32Array[], Kind: typeof Float32Array | typeof Float64Array = Float64Array): Moments {
	const moments = noMoments(keys[0].length, Kind);
	keys.forEach((key, i) => addPair(moments, key, values[i]));
	return moments;
}

/** Exact attention over pairs and its log partition. */
function attend(query: Float32Array, keys: Float32Array[], values: Float32Array[]): { value: Float64Array; logZ: number } {
	const d = query.length;
	const logits = keys.map((key) => dot(query, key) / Math.sqrt(d));
	const max = Math.max(...logits);
	const sum = logits.reduce((total, logit) => total + Math.exp(logit - max), 0);
	const value = new Float64Array(d);
	values.forEach((v, i) => v.forEach((x, c) => (value[c] += (x * Math.exp(logits[i] - max)) / sum)));
	return { value, logZ: max + Math.log(sum) };
}

/** Two read-outs mixed by their weights. */
function mix(a: { value: Float64Array; logZ: number }, b: { value: Float64Array; logWeight: number }): Float64Array {
	const share = 1 / (1 + Math.exp(b.logWeight - a.logZ));
	return a.value.map((x, c) => share * x + (1 - share) * b.value[c]);
}

describe('moments', () => {
	const d = 12;
	const keys = rows('k', 20, d);
	const values = rows('v', 20, d);

	it('summed one by one give the centred product, to 1e-9 in float64', () => {
		const summary = readOut(momentsOf(keys, values))!;
		const mean = Float64Array.from({ length: d }, (_, c) => keys.reduce((sum, key) => sum + key[c], 0) / 20);
		const moments = momentsOf(keys, values);
		for (let row = 0; row < d; row++) {
			for (let c = 0; c < d; c++) {
				const direct = keys.reduce((sum, key, i) => sum + values[i][row] * (key[c] - mean[c]), 0);
				const running = moments.numbers[1 + 2 * d + row * d + c] - (moments.numbers[1 + d + row] * moments.numbers[1 + c]) / 20;
				expect(Math.abs(direct - running)).toBeLessThan(1e-9);
				expect(summary.matrix[row * d + c]).toBeCloseTo(direct / (20 * Math.sqrt(d)), 6);
			}
		}
	});

	it('answer exactly for equal keys and for a single pair', () => {
		for (const [k, v] of [[Array(20).fill(keys[0]), values], [[keys[3]], [values[3]]]] as [Float32Array[], Float32Array[]][]) {
			const query = fixtureNormal('moment/q', d);
			const exact = attend(query, k, v);
			const estimate = answer(readOut(momentsOf(k, v))!, query);
			estimate.value.forEach((x, c) => expect(x).toBeCloseTo(exact.value[c], 5));
			expect(estimate.logWeight).toBeCloseTo(exact.logZ, 5);
		}
	});

	it('never overrate the weight of the evicted', () => {
		const summary = readOut(momentsOf(keys, values))!;
		for (const query of rows('queries', 50, d, 2)) {
			expect(answer(summary, query).logWeight).toBeLessThanOrEqual(attend(query, keys, values).logZ + 1e-6);
		}
	});

	it('err by the square of the size of the keys, or less', () => {
		const error = (scale: number) => {
			const small = rows('k', 20, d, scale);
			const summary = readOut(momentsOf(small, values))!;
			return rows('queries', 20, d).reduce((sum, query) => {
				const exact = attend(query, small, values).value;
				return sum + norm(answer(summary, query).value.map((x, c) => x - exact[c]));
			}, 0);
		};
		expect(error(0.1) / error(0.2)).toBeLessThan(0.3);
		expect(error(0.05) / error(0.1)).toBeLessThan(0.3);
	});

	it('correct what plain eviction gets wrong (64 of 256 pairs kept, keys at a tenth)', () => {
		const wide = 64;
		const k = rows('wk', 256, wide, 0.1);
		const v = rows('wv', 256, wide);
		const [kept, gone] = [[k.slice(0, 64), v.slice(0, 64)], [k.slice(64), v.slice(64)]];
		const summary = readOut(momentsOf(gone[0], gone[1], Float32Array))!;
		let [plain, corrected, zeroth] = [0, 0, 0];
		const flat = readOut(momentsOf(gone[0], gone[1], Float32Array), 0)!;
		for (const query of rows('wq', 20, wide)) {
			const exact = attend(query, k, v).value;
			const retained = attend(query, kept[0], kept[1]);
			const error = (value: Float64Array) => norm(value.map((x, c) => x - exact[c])) / norm(exact) / 20;
			plain += error(retained.value);
			corrected += error(mix(retained, answer(summary, query)));
			zeroth += error(mix(retained, answer(flat, query)));
		}
		expect(plain).toBeGreaterThan(1);
		expect(corrected).toBeLessThan(0.01);
		expect(zeroth).toBeGreaterThan(corrected);
		expect(zeroth).toBeLessThan(plain);
	});

	it('residual is the value itself before anything was evicted', () => {
		expect(residualNorm(null, keys[0], values[0])).toBeCloseTo(norm(values[0]), 6);
		const summary = readOut(momentsOf([keys[0]], [values[0]]))!;
		expect(residualNorm(summary, keys[0], values[0])).toBeCloseTo(0, 5);
	});
});

describe('momentkv', () => {
	const N = 50;
	const d = TINY.headDim;
	const spec = (params: object = {}) => ({ method: 'momentkv', params: { budget: { tokens: 20 }, window: 6, ...params } });

	it('keeps the budget, the first token and the window', () => {
		const rig = new Rig(randomArm(N), [spec()]).prefill();
		for (const layer of rig.arm.layers) {
			const positions = Array.from(layer.positions(1));
			expect(positions).toHaveLength(20);
			expect(positions[0]).toBe(0);
			expect(positions.slice(-6)).toEqual([44, 45, 46, 47, 48, 49]);
		}
		for (let step = 0; step < 10; step++) rig.decode();
		for (const layer of rig.arm.layers) {
			expect(layer.length(0)).toBe(20);
			expect(layer.positions(0)[0]).toBe(0);
		}
	});

	it('evicts and sums up as a plain simulation does, step by step', () => {
		const full = randomArm(N);
		const rig = new Rig(full, [spec({ rounds: 1 })]);
		const plain = new Rig(full, []).prefill();
		rig.prefill();
		for (let step = 0; step < 8; step++) plain.decode();
		const sums = full.layers.map((_, layer) => [0, 1].map((head) => {
			const kept = new Set(rig.arm.layers[layer].positions(head));
			const gone = Array.from({ length: N }, (_, i) => i).filter((i) => !kept.has(i));
			const moments = noMoments(d, Float64Array);
			const [keys, values] = [full.layers[layer].keys(head), full.layers[layer].values(head)];
			for (const p of gone) addPair(moments, keys.subarray(p * d, (p + 1) * d), values.subarray(p * d, (p + 1) * d));
			return moments;
		}));
		const check = () =>
			sums.forEach((heads, layer) => heads.forEach((moments, head) => {
				const summary = rig.arm.layers[layer].summary(head)!;
				const wanted = readOut(moments)!;
				expect(summary.logCount).toBeCloseTo(wanted.logCount, 9);
				wanted.matrix.forEach((x, i) => expect(summary.matrix[i]).toBeCloseTo(x, 4));
				wanted.meanValue.forEach((x, i) => expect(summary.meanValue[i]).toBeCloseTo(x, 5));
			}));
		check();
		for (let step = 0; step < 8; step++) {
			const before = rig.arm.layers.map((layer) => [0, 1].map((head) => [...layer.positions(head), rig.arm.tokens]));
			rig.decode();
			sums.forEach((heads, layer) => heads.forEach((moments, head) => {
				const at = (x: Float32Array, p: number) => x.subarray(p * d, (p + 1) * d);
				const [keys, values] = [plain.arm.layers[layer].keys(head), plain.arm.layers[layer].values(head)];
				const summary = readOut(moments);
				const scores = before[layer][head].map((position, slot) => {
					const attention = (rig.lastAttention[layer][2 * head][slot] + rig.lastAttention[layer][2 * head + 1][slot]) / 2;
					return attention * residualNorm(summary, at(keys, position), at(values, position));
				});
				let cheapest = 1;
				scores.forEach((score, slot) => slot > 0 && score < scores[cheapest] && (cheapest = slot));
				const position = before[layer][head][cheapest];
				addPair(moments, at(keys, position), at(values, position));
				expect(Array.from(rig.arm.layers[layer].positions(head))).toEqual(before[layer][head].filter((p) => p !== position));
			}));
			check();
		}
	});

	it('holds d^2 + 2d + 1 floats a head, and with a budget in bytes stays within it', () => {
		const state = 4 * momentsLength(d) * TINY.layers * TINY.kvHeads;
		for (const readout of ['linear', 'mean', 'none']) {
			const rig = new Rig(randomArm(N), [spec({ readout })]).prefill();
			expect(rig.arm.bill().items.state).toBe(state);
			rig.decode();
			expect(rig.arm.bill().items.state).toBe(state);
		}
		const bytes = 3000;
		const { total } = new Rig(randomArm(N), [spec({ budget: { bytes } })]).prefill().arm.bill();
		expect(total).toBeLessThanOrEqual(bytes);
		expect(total).toBeGreaterThan(bytes - TINY.layers * TINY.kvHeads * (4 * d + 2));
	});

	it('reads nothing back when told so, and evicts all the same', () => {
		const arm = (readout: string) => new Rig(randomArm(N), [spec({ readout })]).prefill().arm.layers[0];
		expect(arm('none').summary(0)).toBeNull();
		expect(arm('none').positions(0)).toEqual(arm('linear').positions(0));
		expect(arm('mean').summary(0)!.matrix.every((x) => x === 0)).toBe(true);
	});

	it('brings the output nearer to full attention, over many random queries', () => {
		const full = randomArm(N);
		const layer = new Rig(full, [spec()]).prefill().arm.layers[0];
		const [keys, values, at] = [full.layers[0].keys(0), full.layers[0].values(0), layer.positions(0)];
		const split = (x: Float32Array, list: ArrayLike<number>) => Array.from(list, (p) => x.slice(p * d, (p + 1) * d));
		const all = Array.from({ length: N }, (_, i) => i);
		let [plain, corrected] = [0, 0];
		for (const query of rows('mq', 200, d, 0.7)) {
			const exact = attend(query, split(keys, all), split(values, all)).value;
			const kept = attend(query, split(keys, at), split(values, at));
			plain += norm(kept.value.map((x, c) => x - exact[c]));
			corrected += norm(mix(kept, answer(layer.summary(0)!, query)).map((x, c) => x - exact[c]));
		}
		expect(corrected).toBeLessThan(0.7 * plain);
	});
});
