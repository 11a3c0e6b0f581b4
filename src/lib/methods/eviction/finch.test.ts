import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { random } from '$lib/numerics/random.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { presented } from '../testing/untouched.ts';
import { promptView, Rig } from '../testing/views.ts';

const N = 60;
const W = 6;
const d = TINY.headDim;
const full = randomArm(N);
const list = (count: number) => Array.from({ length: count }, (_, i) => i);
const pressed = (params: object, method = 'finch') => new Rig(full, [{ method, params: { window: W, ...params } }]).prefill();
const heads = (rig: Rig) => rig.arm.layers.flatMap((layer) => [0, 1].map((head) => ({ layer, head, positions: Array.from(layer.positions(head)) })));
const question = list(W).map((i) => N - W + i);

/** Mean over the question and the group of softmax rows, each times its own number. */
function byHand(rig: Rig, layer: number, head: number, times: (position: number) => number): number[] {
	const keys = full.layers[layer].keys(head);
	const scores = list(N).map(() => 0);
	for (const h of [2 * head, 2 * head + 1]) for (const i of question) {
		const query = rig.queries(layer, h).subarray(i * d, (i + 1) * d);
		const weights = list(i + 1).map((j) => Math.exp(query.reduce((sum, q, c) => sum + q * keys[j * d + c], 0) / Math.sqrt(d)));
		const total = weights.reduce((a, b) => a + b);
		weights.forEach((weight, j) => (scores[j] += (times(i) * weight) / total / W / 2));
	}
	return scores;
}

describe('finch', () => {
	it.each([
		[{}, (i: number) => i + 1], [{ variant: 'released' }, (i: number) => i], [{ normalise: false }, () => 1]
	])('scores by the question\'s attention, %o', (params, times) => {
		const rig = new Rig(full, []);
		const method = startMethod(readMethodSpec({ method: 'finch', params: { window: W, ...params } }), { model: TINY, random: random(1), promptTokens: N });
		for (const layer of [0, 1]) {
			const { byHead, always } = method.score!(full.layers[layer], promptView(full, layer, (h) => rig.queries(layer, h)));
			const wanted = [0, 1].map((head) => byHand(rig, layer, head, times));
			const most = Math.max(...wanted.flatMap((row) => row.slice(0, N - W)));
			byHead.forEach((row, head) => row.forEach((score, j) => {
				expect(always![head][j]).toBe(j < N - W ? 0 : 1);
				expect(score).toBeCloseTo(j < N - W ? wanted[head][j] : most + 1, 9);
			}));
		}
	});

	it('is SnapKV without pooling where nothing is normalised, cut or turned', () => {
		for (const fraction of [0.5, 0.2]) {
			const budget = { fraction };
			const [own, snapkv] = [pressed({ budget, normalise: false, rerotate: false }), pressed({ budget, kernel: 1 }, 'snapkv')];
			expect(presented(own.arm)).toEqual(presented(snapkv.arm));
		}
	});

	it('goes on at position m, with keys as they would be had they stood there', () => {
		const rig = pressed({ budget: { tokens: 21 } });
		expect(rig.arm.nextPosition()).toBe(21);
		const rotate = (before: number[], position: number) => list(d).map((c) => {
			const angle = position * TINY.ropeTheta ** ((-2 * (c % (d / 2))) / d);
			return before[c] * Math.cos(angle) + (c < d / 2 ? -before[c + d / 2] : before[c - d / 2]) * Math.sin(angle);
		});
		for (const { layer, head, positions } of heads(rig)) {
			expect(positions).toHaveLength(21);
			expect(Array.from(layer.rotaryPositions(head))).toEqual(list(21));
			const exact = full.layers[layer.layer].keys(head);
			positions.forEach((position, slot) => {
				const wanted = rotate(rotate(Array.from(exact.subarray(position * d, (position + 1) * d)), -position), slot);
				wanted.forEach((x, c) => expect(Math.abs(layer.keys(head)[slot * d + c] - x)).toBeLessThan(1e-5));
			});
		}
		rig.decode();
		expect(rig.arm.nextPosition()).toBe(22);
		for (const { layer, head } of heads(rig)) expect(layer.rotaryPositions(head).at(-1)).toBe(21);
		expect(pressed({ budget: { tokens: 21 }, rerotate: false }).arm.nextPosition()).toBe(N);
	});

	const inPiece = (positions: number[], from: number, to: number) => positions.filter((p) => p >= from && p < to).length;
	it('keeps max(1, trunc(len (1 - r))) of each piece as released, some of the question maybe not among them', () => {
		for (const [chunk, fraction] of [[16, 0.5], [25, 0.3], [7, 0.1]]) {
			const rig = pressed({ chunk, budget: { fraction }, variant: 'released' });
			for (const { positions } of heads(rig)) {
				for (let from = 0; from < N; from += chunk) {
					const length = Math.min(chunk, N - from);
					expect(inPiece(positions, from, from + length)).toBe(Math.max(1, Math.trunc(length * fraction)));
				}
			}
		}
		// 12 tokens in the last piece, 3 of which stay, for a question of 6.
		const rig = pressed({ chunk: 16, budget: { fraction: 0.25 }, variant: 'released' });
		for (const { positions } of heads(rig)) expect(inPiece(positions, N - W, N)).toBe(3);
	});

	it('keeps the question whole in ours, and deals what is left out to pieces of the text before it', () => {
		for (const [chunk, tokens, counts] of [[18, 24, [6, 6, 6]], [20, 20, [5, 5, 4]], [54, 10, [4]], [7, 9, [1, 1, 1, 0, 0, 0, 0, 0]]] as const) {
			const rig = pressed({ chunk, budget: { tokens } });
			for (const { positions } of heads(rig)) {
				expect(positions).toHaveLength(tokens);
				expect(positions.slice(-W)).toEqual(question);
				expect(counts.map((_, i) => inPiece(positions, i * chunk, Math.min(N - W, (i + 1) * chunk)))).toEqual(counts);
			}
		}
	});

	it('keeps the best of each piece', () => {
		const rig = pressed({ chunk: 18, budget: { tokens: 24 } });
		for (const { layer, head, positions } of heads(rig)) {
			const scores = byHand(rig, layer.layer, head, (i) => i + 1);
			for (const from of [0, 18, 36]) {
				const best = list(18).map((i) => from + i).sort((a, b) => scores[b] - scores[a]).slice(0, 6).sort((a, b) => a - b);
				expect(positions.filter((p) => p >= from && p < from + 18)).toEqual(best);
			}
		}
	});

	it('keeps the newest of a question that is larger than the budget', () => {
		for (const chunk of [0, 16]) {
			for (const { positions } of heads(pressed({ chunk, budget: { tokens: 4 } }))) expect(positions).toEqual(question.slice(-4));
		}
	});

	it('counts the keys that are there when a method before it has dropped some', () => {
		const stack = [{ method: 'streaming-llm', params: { budget: { tokens: 30 }, decode: false } }, { method: 'finch', params: { window: W, budget: { tokens: 12 } } }];
		const rig = new Rig(full, stack).prefill();
		const kept = rig.arm.records.filter(({ by }) => by === '1').map(({ decision }) => decision!);
		expect(kept).toHaveLength(4);
		for (const { positions, terms } of kept) {
			expect(positions).toHaveLength(30);
			// Rows sum to 1 and are multiplied by 25 to 30: what the whole text gets is their mean.
			expect(terms![0].values.reduce((a, b) => a + b)).toBeCloseTo(27.5, 3);
		}
	});
});
