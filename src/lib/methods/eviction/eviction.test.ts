import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { windowAttention } from '../observe.ts';
import { GOLDEN, GOLDEN_PROMPT, goldenArm, goldenIds, GoldenModel } from '../testing/golden-model.ts';
import { promptView, Rig } from '../testing/views.ts';
import { promptSums } from './h2o.ts';
import { observedByWindow } from './snapkv.ts';

const N = 60;
const d = TINY.headDim;
const every = (rig: Rig, check: (layer: number, head: number, positions: number[]) => void) =>
	rig.arm.layers.forEach((layer, index) => {
		for (let head = 0; head < TINY.kvHeads; head++) check(index, head, Array.from(layer.positions(head)));
	});
const span = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

describe('streaming-llm', () => {
	const rigOf = (params: object) => new Rig(randomArm(N), [{ method: 'streaming-llm', params }]).prefill();

	it('keeps the sinks and the last m - 4, the same in all heads', () => {
		const rig = rigOf({ budget: { tokens: 20 } });
		every(rig, (_l, _h, positions) => expect(positions).toEqual([0, 1, 2, 3, ...span(N - 16, N)]));
	});

	it('holds budget and true sinks while decoding, however long', () => {
		const rig = rigOf({ budget: { tokens: 20 } });
		for (let step = 0; step < 50; step++) {
			rig.decode();
			every(rig, (_l, _h, positions) => expect(positions).toEqual([0, 1, 2, 3, ...span(N + step + 1 - 16, N + step + 1)]));
		}
	});

	it('lets the cache grow without decode', () => {
		const rig = rigOf({ budget: { tokens: 20 }, decode: false });
		for (let step = 0; step < 5; step++) rig.decode();
		every(rig, (_l, _h, positions) => expect(positions).toEqual([0, 1, 2, 3, ...span(N - 16, N + 5)]));
	});

	it('without sinks keeps a plain window; a budget below the sinks is raised to sinks + 1', () => {
		every(rigOf({ budget: { tokens: 9 }, n_sink: 0 }), (_l, _h, positions) => expect(positions).toEqual(span(N - 9, N)));
		every(rigOf({ budget: { tokens: 2 } }), (_l, _h, positions) => expect(positions).toEqual([0, 1, 2, 3, N - 1]));
	});

	it('re-rotated keys stand where a fresh rotation would put them, after 40 steps still', () => {
		const full = randomArm(N);
		const rig = new Rig(full, [{ method: 'streaming-llm', params: { budget: { tokens: 12 }, rerotate: true } }]).prefill();
		const plain = new Rig(full, []).prefill();
		for (let step = 0; step < 40; step++) {
			expect(rig.arm.nextPosition()).toBe(12);
			rig.decode();
			plain.decode();
			every(rig, (layer, head, positions) => {
				const slots = positions.length;
				expect(Array.from(rig.arm.layers[layer].rotaryPositions(head))).toEqual(span(0, slots));
				const keys = rig.arm.layers[layer].keys(head);
				positions.forEach((position, slot) => {
					// The random key of a decoded token was handed over at the next angle, 12; a prompt key at its position.
					const original = plain.arm.layers[layer].keys(head).slice(position * d, (position + 1) * d);
					const from = position < N ? position : 12;
					const turned = full.rope.rotate(original, [slot - from], d);
					for (let c = 0; c < d; c++) expect(Math.abs(keys[slot * d + c] - turned[c])).toBeLessThan(1e-5);
				});
			});
		}
	});
});

describe('h2o', () => {
	const rigOf = (params: object, name = 'rig') => new Rig(randomArm(N), [{ method: 'h2o', params }], name);

	it('sums prompt attention as brute force does', () => {
		const full = randomArm(N);
		const rig = new Rig(full, []);
		const view = promptView(full, 0, (queryHead) => rig.queries(0, queryHead));
		const sums = promptSums(full.layers[0], view, false);
		const means = promptSums(full.layers[0], view, true);
		for (let head = 0; head < TINY.kvHeads; head++) {
			const keys = full.layers[0].keys(head);
			for (let j = 0; j < N; j++) {
				let brute = 0;
				for (const queryHead of [2 * head, 2 * head + 1]) {
					const queries = rig.queries(0, queryHead);
					for (let i = j; i < N; i++) {
						const logit = (k: number) => {
							let dot = 0;
							for (let c = 0; c < d; c++) dot += queries[i * d + c] * keys[k * d + c];
							return dot / Math.sqrt(d);
						};
						let total = 0;
						for (let k = 0; k <= i; k++) total += Math.exp(logit(k));
						brute += Math.exp(logit(j)) / total / 2;
					}
				}
				expect(sums[head][j]).toBeCloseTo(brute, 6);
				expect(means[head][j]).toBeCloseTo(brute / (N - j), 6);
			}
		}
	});

	it('follows a plain simulation for 40 steps', () => {
		const rig = rigOf({ budget: { tokens: 16 } });
		const full = rig.full;
		const views = full.layers.map((_, layer) => promptView(full, layer, (queryHead) => rig.queries(layer, queryHead)));
		/** Sums by position, by layer and head. */
		const sums = full.layers.map((layer, index) => promptSums(layer, views[index], false).map((row) => new Map(Array.from(row, (a, j) => [j, a]))));
		const shrink = (map: Map<number, number>) => {
			while (map.size > 16) {
				const old = [...map.keys()].sort((a, b) => a - b).slice(0, map.size - 8);
				map.delete(old.reduce((best, position) => (map.get(position)! < map.get(best)! ? position : best)));
			}
		};
		rig.prefill();
		sums.flat().forEach(shrink);
		every(rig, (layer, head, positions) => expect(positions).toEqual([...sums[layer][head].keys()].sort((a, b) => a - b)));
		for (let step = 0; step < 40; step++) {
			const before = sums.map((heads) => heads.map((map) => [...map.values()].reduce((a, b) => a + b)));
			const positions = rig.arm.layers.map((layer) => [0, 1].map((head) => [...layer.positions(head), rig.arm.tokens]));
			rig.decode();
			sums.forEach((heads, layer) =>
				heads.forEach((map, head) => {
					positions[layer][head].forEach((position, slot) => {
						const got = (rig.lastAttention[layer][2 * head][slot] + rig.lastAttention[layer][2 * head + 1][slot]) / 2;
						map.set(position, (map.get(position) ?? 0) + got);
					});
					// Attention of a step sums to 1, so the sums grow by 1 before the eviction.
					expect([...map.values()].reduce((a, b) => a + b)).toBeCloseTo(before[layer][head] + 1, 5);
					shrink(map);
				})
			);
			every(rig, (layer, head, found) => {
				expect(found).toEqual([...sums[layer][head].keys()].sort((a, b) => a - b));
				expect(found.slice(-8)).toEqual(span(rig.arm.tokens - 8, rig.arm.tokens));
			});
		}
	});

	it('stores one float a slot and bills it', () => {
		const rig = rigOf({ budget: { tokens: 16 } }).prefill();
		expect(rig.arm.bill().items.state).toBe(4 * 16 * TINY.layers * TINY.kvHeads);
		rig.decode();
		expect(rig.arm.bill().items.state).toBe(4 * 16 * TINY.layers * TINY.kvHeads);
	});

	it('never evicts while the budget is not reached', () => {
		const rig = rigOf({ budget: { tokens: N + 5 } }).prefill();
		for (let step = 0; step < 5; step++) rig.decode();
		every(rig, (_l, _h, positions) => expect(positions).toEqual(span(0, N + 5)));
	});

	it('plain sums favour early tokens, means do not', () => {
		const early = (sum: string) => {
			const rig = rigOf({ budget: { tokens: 20 }, heavy: 1, sum }).prefill();
			let total = 0;
			every(rig, (_l, _h, positions) => (total += positions.reduce((a, b) => a + b, 0) / positions.length));
			return total / (TINY.layers * TINY.kvHeads);
		};
		expect(early('sum')).toBeLessThan(early('mean') - 2);
	});
});

describe('snapkv', () => {
	const full = randomArm(N);
	const rig = new Rig(full, []);
	const view = promptView(full, 0, (queryHead) => rig.queries(0, queryHead));

	/** Mean attention of the last w rows, by query head, straight from the formula. */
	function meanAttention(queryHead: number, w: number): Float64Array {
		const keys = full.layers[0].keys(queryHead >> 1);
		const queries = rig.queries(0, queryHead);
		const mean = new Float64Array(N);
		for (let i = N - w; i < N; i++) {
			const logits = Array.from({ length: i + 1 }, (_, j) => {
				let dot = 0;
				for (let c = 0; c < d; c++) dot += queries[i * d + c] * keys[j * d + c];
				return Math.exp(dot / Math.sqrt(d));
			});
			const total = logits.reduce((a, b) => a + b);
			logits.forEach((p, j) => (mean[j] += p / total / w));
		}
		return mean;
	}

	it('kernel 1 is the mean attention of the window', () => {
		const { byHead } = observedByWindow(full.layers[0], view, 6, 1);
		for (let head = 0; head < 2; head++) {
			const [a, b] = [meanAttention(2 * head, 6), meanAttention(2 * head + 1, 6)];
			for (let j = 0; j < N - 6; j++) expect(Math.abs(byHead[head][j] - (a[j] + b[j]) / 2)).toBeLessThan(1e-6);
		}
	});

	it('kernel 5 averages neighbours, dividing by 5 at the borders too, and never reaches into the window', () => {
		const flat = observedByWindow(full.layers[0], view, 6, 1).byHead[0];
		const pooled = observedByWindow(full.layers[0], view, 6, 5).byHead[0];
		expect(pooled[0]).toBeCloseTo((flat[0] + flat[1] + flat[2]) / 5, 12);
		expect(pooled[20]).toBeCloseTo((flat[18] + flat[19] + flat[20] + flat[21] + flat[22]) / 5, 12);
		expect(pooled[N - 7]).toBeCloseTo((flat[N - 9] + flat[N - 8] + flat[N - 7]) / 5, 12);
	});

	it('keeps the window and, when the budget is smaller, its newest tokens', () => {
		const kept = (tokens: number) => {
			const arm = new Rig(full, [{ method: 'snapkv', params: { window: 8, budget: { tokens } } }]).prefill().arm;
			return Array.from(arm.layers[1].positions(1));
		};
		expect(kept(20)).toHaveLength(20);
		expect(kept(20).slice(-8)).toEqual(span(N - 8, N));
		expect(kept(5)).toEqual(span(N - 5, N));
	});

	it('a window longer than the prompt keeps the newest tokens', () => {
		const short = randomArm(10);
		const arm = new Rig(short, [{ method: 'snapkv', params: { window: 32, budget: { tokens: 4 } } }]).prefill().arm;
		expect(Array.from(arm.layers[0].positions(0))).toEqual([6, 7, 8, 9]);
	});

	it('takes no more rows than it asked for when others asked for more', () => {
		const all = observedByWindow(full.layers[0], view, 3, 1).byHead[0];
		const last = { ...view, queries: (queryHead: number) => rig.queries(0, queryHead).slice((N - 3) * d) };
		expect(observedByWindow(full.layers[0], last, 3, 1).byHead[0]).toEqual(all);
	});

	it('looks only at what is left, and with turned queries where keys were turned', () => {
		const arm = full.fork();
		const layer = arm.layers[0];
		const kept = [0, 5, ...span(40, N)];
		for (let head = 0; head < 2; head++) layer.keep(head, kept);
		const straight = windowAttention(layer, view, 0, 1)[0];
		expect(straight).toHaveLength(kept.length);
		expect(straight.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
		// Slots 40 … 59 keep their distances to the window when all are turned, so their logits do not change.
		for (let head = 0; head < 2; head++) layer.rerotate(head);
		const turned = windowAttention(layer, view, 0, 1)[0];
		const ratio = (x: Float64Array) => x[10] / x[11];
		expect(ratio(turned)).toBeCloseTo(ratio(straight), 4);
		expect(Math.abs(turned[0] / turned[11] - straight[0] / straight[11])).toBeGreaterThan(1e-4);
	});

	it('with a window of 1, no pooling and heads averaged is the row of TOVA in kvpress', () => {
		const golden = JSON.parse(readFileSync('conformance/kvpress-golden-v1.json', 'utf8'));
		const prompt = new GoldenModel().prefill(goldenIds().slice(0, GOLDEN_PROMPT));
		const arm = goldenArm(prompt);
		[0, 3].forEach((layer, i) => {
			const size = GOLDEN_PROMPT * GOLDEN.headDim;
			const seen = promptView(arm, layer, (h) => prompt.queries[layer].subarray(h * size, (h + 1) * size));
			const { byHead } = observedByWindow(arm.layers[layer], seen, 1, 1);
			[0, 1, 2, 3, 50, 100, 150, 200, 201].forEach((position, at) => {
				const mean = (byHead[0][position] + byHead[1][position]) / 2;
				const wanted = golden.cases['tova@0.5'].s[i][0][at];
				expect(Math.abs(mean - wanted)).toBeLessThanOrEqual(1e-6 + 2e-4 * wanted);
			});
		});
	});
});
