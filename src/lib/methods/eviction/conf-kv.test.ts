import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { keepBlockRows, encodeBlock } from '$lib/cache/block.ts';
import { presented, expectBillIsPacked } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';
import { budgetOfLayer, confidence, int8Codec } from './conf-kv-parts.ts';

const N = 48;
const STEPS = 30;
const d = TINY.headDim;
const full = randomArm(N);
const list = (count: number) => Array.from({ length: count }, (_, i) => i);
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const rigOf = (params: object, arm = full) => new Rig(arm, [{ method: 'conf-kv', params: { recent: 3, int8: false, ...params } }]);
const held = (rig: Rig, layer: number) => Array.from(rig.arm.layers[layer].positions(0));

/** What the card says, term by term. */
function confidenceByHand(logits: number[]): number {
	const weights = logits.map((z) => Math.exp(z));
	const p = weights.map((w) => w / sum(weights)).sort((a, b) => b - a);
	const entropy = sum(p.map((x) => -x * Math.log(x))) / Math.log(p.length);
	return 0.4 * (1 - entropy) + 0.3 / (1 + Math.exp(-(Math.log(p[0]) - Math.log(p[1])))) + 0.3 * p[0];
}

describe('confidence', () => {
	it('is what the formula says, and is not changed by a constant', () => {
		for (const name of ['a', 'b', 'c']) {
			const logits = fixtureNormal(`conf ${name}`, 64).map((x) => 3 * x);
			expect(confidence(logits)).toBeCloseTo(confidenceByHand(Array.from(logits)), 10);
			expect(confidence(Float64Array.from(logits, (x) => x + 700))).toBeCloseTo(confidence(Float64Array.from(logits)), 10);
		}
	});

	it('is 0.15 + 0.3 / |V| where all are equal, the least there is, and 1 where one token is certain', () => {
		for (const size of [2, 64, 3840]) {
			const least = 0.15 + 0.3 / size;
			expect(confidence(new Float32Array(size))).toBeCloseTo(least, 12);
			for (const name of ['d', 'e', 'f']) expect(confidence(fixtureNormal(`conf ${name}`, size))).toBeGreaterThan(least);
			expect(confidence(Float32Array.from({ length: size }, (_, id) => (id === 1 ? 1000 : 0)))).toBeCloseTo(1, 12);
		}
	});

	it.each([[256, 0.99], [4096, 0.87], [50_000, 0.49]])('of a gap of 10 over a flat rest of %i tokens is %d', (size, wanted) => {
		const c = confidence(Float32Array.from({ length: size }, (_, id) => (id === 7 ? 10 : 0)));
		expect(c.toFixed(2)).toBe(wanted.toFixed(2));
	});
});

/** Confidence that half of the steps of a rig have: its words are drawn by its name alone. */
const MEDIAN = list(STEPS).map((step) => confidenceByHand(Array.from(new Rig(full, []).logits(N + step)))).sort()[STEPS / 2];

/** The cache of one layer by the card: positions with their fading attention, the newest last. */
function byHand(rig: Rig, layer: number, budgets: { loose: number; tight: number; threshold: number; alpha: number; recent: number }) {
	let tokens: { position: number; a: number }[] = [];
	const cut = (logits: Float32Array) => {
		const limit = confidenceByHand(Array.from(logits)) >= budgets.threshold ? budgets.tight : budgets.loose;
		if (tokens.length <= limit) return;
		const may = tokens.slice(0, tokens.length - Math.min(budgets.recent, limit));
		const scaled = (values: number[]) => {
			const [least, most] = [Math.min(...values), Math.max(...values)];
			return values.map((x) => (most > least ? (x - least) / (most - least) : 0));
		};
		const [a, r] = [scaled(may.map((t) => t.a)), scaled(may.map((t) => t.position))];
		const ranked = may.map((token, i) => ({ token, score: budgets.alpha * a[i] + (1 - budgets.alpha) * r[i] })).sort((x, y) => x.score - y.score);
		const gone = new Set(ranked.slice(0, tokens.length - limit).map(({ token }) => token));
		tokens = tokens.filter((token) => !gone.has(token));
	};
	return {
		positions: () => tokens.map(({ position }) => position),
		/** Attention of the last 16 queries of the prompt. */
		prompt() {
			const mean = list(N).map(() => 0);
			for (const h of list(TINY.heads)) for (const i of list(16).map((t) => N - 16 + t)) {
				const query = rig.queries(layer, h).subarray(i * d, (i + 1) * d);
				const keys = full.layers[layer].keys(h >> 1);
				const weights = list(i + 1).map((j) => Math.exp(query.reduce((dot, q, c) => dot + q * keys[j * d + c], 0) / Math.sqrt(d)));
				weights.forEach((w, j) => (mean[j] += w / sum(weights) / 16 / TINY.heads));
			}
			tokens = mean.map((a, position) => ({ position, a }));
			cut(rig.logits(N - 1));
		},
		step(position: number) {
			tokens.push({ position, a: 0 });
			tokens = tokens.map((token, i) => ({ ...token, a: 0.9 * token.a + 0.1 * (sum(rig.lastAttention[layer].map((row) => row[i])) / TINY.heads) }));
			cut(rig.logits(position));
		}
	};
}

describe('conf-kv', () => {
	it.each([
		[{ budget: { tokens: 20 }, threshold: MEDIAN }, { loose: 20, tight: 10, threshold: MEDIAN }],
		[{ budget: { tokens: 15 }, tight: 0.8, threshold: MEDIAN, alpha: 0.2 }, { loose: 15, tight: 12, threshold: MEDIAN, alpha: 0.2 }],
		[{ budget: { fraction: 0.5 }, threshold: 0, recent: 0 }, { loose: 24, tight: 12, threshold: 0, recent: 0 }]
	])('keeps at every step what the card keeps, %o', (params, budgets) => {
		const rig = rigOf(params);
		const cards = [0, 1].map((layer) => byHand(rig, layer, { alpha: 0.65, recent: 3, ...budgets }));
		rig.prefill();
		cards.forEach((card, layer) => {
			card.prompt();
			expect(held(rig, layer)).toEqual(card.positions());
		});
		const lengths = new Set<number>();
		for (let step = 0; step < STEPS; step++) {
			rig.decode();
			cards.forEach((card, layer) => {
				card.step(N + step);
				for (const head of [0, 1]) expect(Array.from(rig.arm.layers[layer].positions(head))).toEqual(card.positions());
				if (!('recent' in params)) expect(card.positions().slice(-3)).toEqual([N + step - 2, N + step - 1, N + step]);
				lengths.add(card.positions().length);
			});
		}
		// Where both budgets are in use the length is a saw.
		if (params.threshold > 0) expect(lengths.size).toBeGreaterThan(2);
	});

	it('is always tight at threshold 0, always loose above 1, and grows by one token after a cut', () => {
		const lengths = (params: object) => {
			const rig = rigOf({ budget: { tokens: 20 }, ...params }).prefill();
			return list(STEPS).map(() => (rig.decode(), [held(rig, 0).length, held(rig, 1).length]));
		};
		expect(lengths({ threshold: 0 })).toEqual(list(STEPS).map(() => [10, 10]));
		expect(lengths({ threshold: 1.1 })).toEqual(list(STEPS).map(() => [20, 20]));
		const rig = rigOf({});
		const sure = (step: number) => confidenceByHand(Array.from(rig.logits(N - 1 + step))) >= MEDIAN;
		const all = lengths({ threshold: MEDIAN }).map(([length]) => length);
		const rises = list(STEPS - 1).filter((i) => sure(i + 1) && !sure(i + 2));
		expect(rises.length).toBeGreaterThan(2);
		for (const i of rises) expect([all[i], all[i + 1]]).toEqual([10, 11]);
	});

	it('is the full cache where nothing limits it, asking for nothing to be held', () => {
		const run = (params: object) => {
			const rig = rigOf(params).prefill();
			for (let step = 0; step < 5; step++) rig.decode();
			return rig.arm;
		};
		const [whole, plenty] = [run({ budget: { fraction: 1 } }), run({ budget: { tokens: 200 }, tight: 1 })];
		const none = new Rig(full, []).prefill();
		for (let step = 0; step < 5; step++) none.decode();
		expect(presented(whole)).toEqual(presented(none.arm));
		expect(presented(plenty)).toEqual(presented(none.arm));
		expect(whole.bill().total).toBe(none.arm.bill().total);
	});

	it('is a window of the newest at alpha 0, and goes by attention alone at alpha 1', () => {
		const rig = rigOf({ budget: { tokens: 12 }, alpha: 0, threshold: 1.1 }).prefill();
		for (let step = 0; step < 6; step++) {
			rig.decode();
			expect(held(rig, 0)).toEqual(list(12).map((i) => N + step - 11 + i));
		}
		const attention = rigOf({ budget: { tokens: 12 }, alpha: 1 }).prefill();
		for (const { decision } of attention.arm.records) {
			const [fading] = decision!.terms!;
			expect(Array.from(decision!.scores)).toEqual(Array.from(fading.values));
		}
	});

	it('lets a coin decide as control: the same for all layers, at the rate that is asked for', () => {
		const rig = rigOf({ budget: { tokens: 10 }, schedule: 'random', rate: 0.3 }, randomArm(12)).prefill();
		let tight = 0;
		for (let step = 0; step < 200; step++) {
			rig.decode();
			const lengths = [held(rig, 0).length, held(rig, 1).length];
			expect(lengths[0]).toBe(lengths[1]);
			if (lengths[0] === 5) tight++;
		}
		expect(Math.abs(tight / 200 - 0.3)).toBeLessThan(0.1);
	});

	it('gives deeper layers less in the L form, never below the floor or above the budget', () => {
		for (const slots of [128, 256, 1000]) {
			const budgets = list(12).map((layer) => budgetOfLayer(slots, layer, 12, 0.5, 96));
			budgets.forEach((m, layer) => {
				expect(m).toBe(Math.max(96, Math.floor(slots * 0.5 ** (layer / 12))));
				expect(m).toBeGreaterThanOrEqual(96);
				if (layer) expect(m).toBeLessThanOrEqual(budgets[layer - 1]);
			});
		}
		expect(list(4).map((layer) => budgetOfLayer(50, layer, 4, 0.5, 96))).toEqual([50, 50, 50, 50]);
		expect(list(4).map((layer) => budgetOfLayer(50, layer, 4, 1, 96))).toEqual([50, 50, 50, 50]);
		const rig = rigOf({ budget: { tokens: 32 }, threshold: 1.1, beta: 0.5, floor: 4 }).prefill();
		expect([held(rig, 0).length, held(rig, 1).length]).toEqual([32, Math.floor(32 * Math.SQRT1_2)]);
	});
});

describe('its 8 bits', () => {
	it('leave the newest exact and put the others into whole groups, once', () => {
		const rig = rigOf({ budget: { tokens: 24 }, threshold: 1.1, int8: true, window: 6, group: 4 }).prefill();
		for (let step = 0; step < STEPS; step++) {
			for (const layer of rig.arm.layers) for (const head of [0, 1]) for (const which of ['K', 'V'] as const) {
				const positions = layer.positions(head);
				const exact = layer.exact(head, which);
				const old = positions.filter((position) => position <= rig.arm.tokens - 1 - 6);
				expect(exact.filter((flag, slot) => flag && positions[slot] > rig.arm.tokens - 1 - 6)).toHaveLength(positions.length - old.length);
				expect(exact.filter((flag, slot) => flag && positions[slot] <= rig.arm.tokens - 1 - 6).length).toBeLessThan(4);
			}
			expectBillIsPacked(rig.arm);
			rig.decode();
		}
		const exact = rigOf({ budget: { tokens: 24 }, threshold: 1.1, window: 6, group: 4 }).prefill();
		for (let step = 0; step < STEPS; step++) exact.decode();
		expect(rig.arm.bill().total).toBeLessThan(exact.arm.bill().total);
	});

	const [rows, columns] = [32, 64];
	const normal = fixtureNormal('conf int8', rows * columns);
	const codec = int8Codec(32);
	it('err by half a step at most, 0.4 to 1 % on normal numbers', () => {
		const payload = codec.encode(normal, rows, columns);
		const back = codec.decode(payload);
		let [error, size] = [0, 0];
		for (const c of list(columns)) {
			const step = codec.groups(payload)[c].step!;
			const most = Math.max(...list(rows).map((r) => Math.abs(normal[r * columns + c])));
			expect(Math.abs(step - most / 127)).toBeLessThanOrEqual((most / 127) * 2 ** -10);
			for (const r of list(rows)) {
				const off = Math.abs(back[r * columns + c] - normal[r * columns + c]);
				expect(off).toBeLessThanOrEqual(step / 2 + 1e-7);
				error += off ** 2;
				size += normal[r * columns + c] ** 2;
			}
		}
		expect(Math.sqrt(error / size)).toBeGreaterThan(0.004);
		expect(Math.sqrt(error / size)).toBeLessThan(0.01);
	});

	it('lose the codes of tokens that go, and nothing else', () => {
		const rope = full.rope;
		const block = encodeBlock({ which: 'V', codec, numbers: normal, angles: Int32Array.from(list(rows)), beforeRope: false }, columns, rope);
		const left = keepBlockRows(block, [3, 4, 20], columns);
		expect(left.payload.parts.map(({ array }) => array.byteLength)).toEqual([3 * columns, 2 * columns]);
		const back = codec.decode(left.payload);
		[3, 4, 20].forEach((row, i) => expect(back.subarray(i * columns, (i + 1) * columns)).toEqual(block.decoded.subarray(row * columns, (row + 1) * columns)));
	});
});
