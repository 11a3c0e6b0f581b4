import { fromKeysCodec } from '$lib/cache/codecs/from-keys.ts';
import { positionBytes } from '$lib/cache/layout.ts';
import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { fromHalf } from '$lib/numerics/half.ts';
import { chooseTop, decision, termsOf } from '../decide.ts';
import { defineMethod, type Rope } from '../define.ts';
import { BUDGET, isOver } from '../once.ts';
import { exactSlots } from '../quantization/tail.ts';
import { others, topSlots } from '../select.ts';
import { headsOf } from '../slots.ts';
import { unrotated } from '../unrotated.ts';
import { innerSpec, scorerNeeds } from '../wrap.ts';
import { cholesky } from './leverage-score.ts';

/** Added to the diagonal, as a share of its mean. */
const RIDGE = 1e-6;

/** Rows of [n, d] with a 1 behind each where there is a constant. */
const widened = (rows: ArrayLike<number>, d: number, constant: boolean): Float64Array => {
	const width = constant ? d + 1 : d;
	return Float64Array.from({ length: (rows.length / d) * width }, (_, at) => (at % width < d ? rows[Math.floor(at / width) * d + (at % width)] : 1));
};

/** The least-squares map from keys to values, both [n, d]: [d, d] row-major, with a constant [d + 1, d]. */
export function valueMap(keys: ArrayLike<number>, values: ArrayLike<number>, d: number, constant: boolean): Float64Array {
	const k = constant ? d + 1 : d;
	const rows = widened(keys, d, constant);
	const [gram, cross] = [new Float64Array(k * k), new Float64Array(k * d)];
	for (let row = 0; row < rows.length / k; row++) {
		for (let i = 0; i < k; i++) {
			const x = rows[row * k + i];
			for (let j = 0; j < k; j++) gram[i * k + j] += x * rows[row * k + j];
			for (let c = 0; c < d; c++) cross[i * d + c] += x * values[row * d + c];
		}
	}
	let trace = 0;
	for (let i = 0; i < k; i++) trace += gram[i * k + i];
	for (let i = 0; i < k; i++) gram[i * k + i] += (RIDGE * trace) / k;
	const lower = cholesky(gram, k);
	if (!lower) return new Float64Array(k * d);
	// L (L^T M) = cross, forwards and backwards.
	const map = cross.slice();
	for (let c = 0; c < d; c++) {
		for (let i = 0; i < k; i++) {
			for (let j = 0; j < i; j++) map[i * d + c] -= lower[i * k + j] * map[j * d + c];
			map[i * d + c] /= lower[i * k + i];
		}
		for (let i = k - 1; i >= 0; i--) {
			for (let j = i + 1; j < k; j++) map[i * d + c] -= lower[j * k + i] * map[j * d + c];
			map[i * d + c] /= lower[i * k + i];
		}
	}
	return map;
}

/** Squared error of each value [n, d] when it is made from its key [n, d]. `map` as of `valueMap`. */
export function rebuildErrors(map: ArrayLike<number>, keys: ArrayLike<number>, values: ArrayLike<number>, d: number): Float64Array {
	const k = map.length / d;
	const rows = widened(keys, d, k > d);
	return Float64Array.from({ length: values.length / d }, (_, row) => {
		let square = 0;
		for (let c = 0; c < d; c++) {
			let rest = values[row * d + c];
			for (let i = 0; i < k; i++) rest -= rows[row * k + i] * map[i * d + c];
			square += rest * rest;
		}
		return square;
	});
}

/** How many more tokens than `budget` of `n` stay by their keys: twice as many lose their value. */
export const extraTokens = (n: number, budget: number, share: number): number => Math.floor(share * Math.max(0, Math.min(n - budget, budget)));

export default defineMethod({
	id: 'vector',
	title: 'VECTOR',
	subtitle: 'some values are rebuilt from their keys',
	family: 'eviction',
	paper: 'VECTOR: A Simple Plug-in for Improving Eviction-Based KV Cache Compression, 2026',
	confidence: 'Follows the paper; there is no official code. It is not said there whether the map joins the heads of a layer.',
	ours: 'The map is fitted to the prompt at hand, before anything of it goes, each KV head for itself, and its bytes are on the bill; published is one map a model, fitted to general text. So it fits better here than there, and a later prompt would need another. It is rounded to halves before anything is measured with it. The bytes of positions and of one bit a token, which the paper does not count, are counted.',
	failures: 'At low compression, and with scorers that know the question, it can be slightly worse than eviction alone. Rebuilding keys instead of values is worse: the softmax amplifies their error. Where a value cannot be told from its key, the tokens that it costs are missed more than those that it saves help. A codec after it that gives keys more bits than values makes the cache larger than a budget in bytes.',
	idea: 'Keys and values come from the same hidden state, so a value can often be guessed from its key by a fixed linear map. Between keeping and dropping there is then a third way: keep the key, drop the value, rebuild it whenever it is read. For the same bytes more tokens stay in reach.',
	acts: 'After the prompt; values are rebuilt at every read.',
	formula: String.raw`\hat v_i=W R_i^{-1}k_i,\quad W=\arg\min\sum_i\lVert WR_i^{-1}k_i-v_i\rVert^2,\quad \text{keep }m+a,\ \text{rebuild the }2a\text{ with least }\lVert v_i-\hat v_i\rVert^2,\quad a=s\min(n-m,m)`,
	bytes: '2 d bytes for each of m + a keys and m - a values, as many as plain eviction to m; 2 bytes of position and one bit for each of m + a tokens; 2 d d bytes of map a KV head, 2 d more with a constant.',
	sources: ['https://arxiv.org/abs/2605.23258'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'keydiff' }, about: 'The method that says which tokens stay.' },
		budget: { ...BUDGET, about: 'How much of the cache stays, a key without its value counted as half a token.' },
		share: { kind: 'number', default: 0.5, min: 0, max: 1, step: 0.05, about: 'How far to go: 0 is the scorer alone, 0.5 is published, 1 leaves no exact value (at most half of the budget).' },
		constant: { kind: 'boolean', default: false, about: 'Whether the map has a constant, for models whose projections have biases.' }
	},
	needs: scorerNeeds,
	start(context, params) {
		const { headDim: d, context: longest } = context.model;
		const share = params.share as number;
		const constant = params.constant as boolean;
		const mapBytes = share > 0 ? 2 * d * (d + (constant ? 1 : 0)) : 0;
		// At most `share` more tokens than the budget have a position, and all have one bit, rounded up to a byte a head.
		const perSlot = share > 0 ? share * positionBytes(longest) + (1 + share) / 8 : 0;
		const capacity = context.slots(params.budget as Budget, mapBytes + Math.sign(share), perSlot);
		const inner = context.inner(innerSpec(params));

		/** Drops the values of `count` slots, those that their keys tell best. */
		function rebuild(layer: LayerCache, head: number, map: Float64Array, count: number, rope: Rope): void {
			const open = exactSlots(layer, head, 'V');
			if (Math.min(count, open.length) < 1) return;
			const codec = fromKeysCodec(map, d);
			const stored = fromHalf(codec.encode(new Float32Array(d), 1, d).parts[0].array as Uint16Array);
			const errors = rebuildErrors(stored, unrotated(layer, head, rope), layer.values(head), d);
			const slots = Int32Array.from(topSlots(Float64Array.from(open, (slot) => -errors[slot]), count), (i) => open[i]);
			layer.encode(head, 'V', slots, codec, {
				decision: decision({
					positions: layer.positions(head), scores: errors, kept: others(layer.length(head), slots),
					meaning: 'squared error of the value when it is rebuilt from its key; the smallest lose their value'
				})
			});
		}
		return {
			prefilled(layer, seen) {
				if (!isOver(layer, capacity)) return;
				const scores = inner.score!(layer, seen);
				for (const head of headsOf(layer).filter((each) => layer.length(each) > capacity)) {
					const extra = extraTokens(layer.length(head), capacity, share);
					const { kept, safe } = chooseTop(layer, scores, head, capacity + extra);
					const map = extra > 0 ? valueMap(unrotated(layer, head, seen.rope), layer.values(head), d, constant) : null;
					layer.keep(head, kept, {
						decision: decision({ positions: layer.positions(head), scores: scores.byHead[head], meaning: scores.meaning, safe, terms: termsOf(scores, head), kept })
					});
					if (map) rebuild(layer, head, map, 2 * extra, seen.rope);
				}
			}
		};
	}
});
