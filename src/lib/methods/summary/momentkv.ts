import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { decision } from '../decide.ts';
import { defineMethod } from '../define.ts';
import { windowRows } from '../observe.ts';
import { others, slotsWhere } from '../select.ts';
import { groupOf, headsOf, realign, slotsAt } from '../slots.ts';
import { addPair, countOf, momentsLength, noMoments, readOut, residualNorm, type Moments } from './moments.ts';

/** The first token of the text is pinned, as in the paper. */
const PINNED = 1;
const STATE_BYTES = 4;
const ORDERS = ['linear', 'mean', 'none'] as const;

/** Softmax rows restricted to `open` slots and averaged: attention over what is retained. */
function attentionOver(rows: readonly ArrayLike<number>[], open: Uint8Array): Float64Array {
	const mean = new Float64Array(open.length);
	for (const row of rows) {
		let sum = 0;
		for (let slot = 0; slot < open.length; slot++) if (open[slot]) sum += row[slot];
		const scale = sum > 0 ? 1 / (sum * rows.length) : 0;
		for (let slot = 0; slot < open.length; slot++) if (open[slot]) mean[slot] += row[slot] * scale;
	}
	return mean;
}

/** The `count` slots of `open` with the lowest scores, ties to the older. */
function lowest(open: Int32Array, scores: Float64Array, count: number): Int32Array {
	return Int32Array.from(open).sort((a, b) => scores[a] - scores[b] || a - b).subarray(0, count);
}

/** What a round of evictions looked at. */
interface Round {
	scores: Float64Array;
	attention: Float64Array;
	residual: Float64Array;
}

/**
 * Evicts the `count` cheapest slots of one head in `rounds`, each with the summary of those before,
 * adding them to `moments`. `rows` are attention rows over the slots. Gives the slots, ascending.
 */
function evictCheapest(
	layer: LayerCache,
	head: number,
	moments: Moments,
	plan: { rows: readonly ArrayLike<number>[]; safe: Uint8Array; count: number; rounds: number }
): { gone: Int32Array; seen: Round } {
	const { rows, safe, count, rounds } = plan;
	const n = safe.length;
	const d = layer.headDim;
	const keys = layer.keys(head);
	const values = layer.values(head);
	const retained = new Uint8Array(n).fill(1);
	const seen: Round = { scores: new Float64Array(n), attention: new Float64Array(n), residual: new Float64Array(n) };
	let left = Math.min(count, n - safe.reduce((sum, flag) => sum + flag, 0));
	for (let round = 0; round < rounds && left > 0; round++) {
		const attention = attentionOver(rows, retained);
		const summary = readOut(moments);
		for (const slot of slotsWhere(retained)) {
			const at = slot * d;
			seen.attention[slot] = attention[slot];
			seen.residual[slot] = residualNorm(summary, keys.subarray(at, at + d), values.subarray(at, at + d));
			seen.scores[slot] = seen.attention[slot] * seen.residual[slot];
		}
		const open = slotsWhere(retained.map((flag, slot) => (flag && !safe[slot] ? 1 : 0)));
		const cheapest = lowest(open, seen.scores, Math.ceil(left / (rounds - round)));
		for (const slot of cheapest) {
			retained[slot] = 0;
			addPair(moments, keys.subarray(slot * d, (slot + 1) * d), values.subarray(slot * d, (slot + 1) * d));
		}
		left -= cheapest.length;
	}
	return { gone: slotsWhere(retained.map((flag) => 1 - flag)), seen };
}

export default defineMethod({
	id: 'momentkv',
	title: 'MomentKV',
	subtitle: 'evict, but keep running sums of what was evicted',
	family: 'summary',
	paper: 'MomentKV: Closing the Directional Gap in KV Cache Eviction for Long-Context Inference, 2026 (arXiv 2606.01563). Not Moment-KV (arXiv 2605.29873)',
	confidence: 'From the text of the paper; no official code was found. What it leaves open for shared KV heads and for the prompt is our choice.',
	ours: 'One state a KV head; attention is averaged over its query heads. The prompt is compressed in a few rounds, the observation window stays, and all heads get the same budget.',
	failures: 'The weight of what was evicted is always underestimated, the more so the more its logits vary. Rotated keys of many positions partly cancel in their mean. It is not proved to be never worse than plain eviction, and a small budget goes to a large part into its state.',
	idea: 'After an eviction the survivors share out all attention among themselves, and the direction that the evicted would have added is missing. Keep four sums over the evicted pairs: they say, for any query, roughly what the evicted would have returned and how much it should weigh, and that is mixed back in. The same sums tell which token is cheapest to lose: one whose value they already predict.',
	acts: 'After the prompt and at every step: evicts when over budget, corrects every read.',
	formula: String.raw`\hat f=\hat w_R f_R+(1-\hat w_R)\Big(\bar v+\frac{\tilde S q}{n_e\sqrt d}\Big),\quad \log\hat Z_E=\log n_e+\frac{q^\top\bar k}{\sqrt d}`,
	bytes: 'The kept slots, 4 d + 2 bytes each, and d² + 2d + 1 float32 numbers a KV head, as much as d + 2 more slots would cost.',
	sources: ['https://arxiv.org/abs/2606.01563'],
	params: {
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How many slots stay; in bytes, the state is taken off first.' },
		window: { kind: 'int', default: 32, min: 1, max: 512, about: 'Last prompt tokens whose attention is asked; they stay.' },
		rounds: { kind: 'int', default: 4, min: 1, max: 32, about: 'Rounds in which the prompt is evicted; each sees the sums of those before.' },
		readout: { kind: 'choice', default: 'linear', options: ORDERS, about: 'What is mixed back in: the linear estimate, only the mean value, or nothing.' }
	},
	needs: (params) => ({ queries: { last: params.window as number }, stepAttention: true }),
	start(context, params) {
		const d = context.model.headDim;
		const capacity = context.slots(params.budget as Budget, STATE_BYTES * momentsLength(d));
		const readout = params.readout as (typeof ORDERS)[number];
		const states = new Map<number, Moments[]>();

		const act = (layer: LayerCache, head: number, rows: readonly ArrayLike<number>[], safe: Uint8Array, rounds: number) => {
			const moments = states.get(layer.layer)![head];
			const positions = Int32Array.from(layer.positions(head));
			const { gone, seen } = evictCheapest(layer, head, moments, { rows, safe, count: positions.length - capacity, rounds });
			if (gone.length === 0) return;
			const kept = others(positions.length, gone);
			const reasons = {
				decision: decision({
					positions, scores: seen.scores, safe, kept, meaning: 'attention x distance from what the summary predicts',
					terms: [
						{ name: 'attention', values: seen.attention },
						{ name: 'distance from the prediction', values: seen.residual }
					]
				})
			};
			const evicted = Int32Array.from(gone, (slot) => positions[slot]);
			if (readout !== 'none') {
				const summary = readOut(moments, readout === 'linear' ? 1 : 0)!;
				const parts = [{ item: 'state' as const, array: moments.numbers.slice() as Float32Array }];
				layer.summarise(head, { ...summary, parts }, evicted, reasons);
			}
			layer.evict(head, slotsAt(layer.positions(head), evicted), reasons);
		};
		/** Without a read-out the sums exist all the same, for the choice. */
		const hold = (layer: LayerCache) => {
			if (readout !== 'none') return;
			const used = states.get(layer.layer)!.filter((moments) => countOf(moments) > 0);
			layer.holdState('sums of the evicted', used.map(({ numbers }) => ({ item: 'state', array: numbers.slice() as Float32Array })));
		};
		return {
			prefilled(layer, seen) {
				states.set(layer.layer, headsOf(layer).map(() => noMoments(d)));
				const stay = Math.min(params.window as number, capacity - PINNED);
				for (const head of headsOf(layer)) {
					if (layer.length(head) <= capacity) continue;
					const guarded = layer.protectedSlots(head);
					const safe = Uint8Array.from(layer.positions(head), (position, slot) =>
						guarded[slot] || position < PINNED || position >= seen.n - stay ? 1 : 0
					);
					const rows = windowRows(layer, seen, head, params.window as number).flat();
					act(layer, head, rows, safe, params.rounds as number);
					const window = slotsWhere(Uint8Array.from(layer.positions(head), (p) => (p >= seen.n - stay ? 1 : 0)));
					layer.mark(head, window, 'window');
					layer.mark(head, slotsWhere(Uint8Array.from(layer.positions(head), (p) => (p < PINNED ? 1 : 0))), 'sink');
				}
				hold(layer);
			},
			appended(layer, seen) {
				if (!states.has(layer.layer)) return;
				for (const head of headsOf(layer)) {
					const positions = layer.positions(head);
					if (positions.length <= capacity) continue;
					const at = seen.positions(head);
					const rows = groupOf(head, seen.model).map((queryHead) => realign(at, seen.attention(queryHead), positions));
					const guarded = layer.protectedSlots(head);
					const safe = Uint8Array.from(positions, (position, slot) => (guarded[slot] || position < PINNED ? 1 : 0));
					act(layer, head, rows, safe, 1);
				}
				hold(layer);
			}
		};
	}
});
