import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { defineMethod, type Scores } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES } from '../once.ts';
import { rowNorms } from '../select.ts';
import { headsOf } from '../slots.ts';

/** Rows of [n, d] scaled to length 1; a row of zeros stays. */
export function directions(block: ArrayLike<number>, d: number): Float64Array {
	const norms = rowNorms(block, d);
	return Float64Array.from({ length: block.length }, (_, at) => block[at] / Math.max(norms[Math.floor(at / d)], 1e-12));
}

/** Cosine of row `row` of unit rows with `anchor`, [d]; 0 where either has no length. */
export function cosineWith(unit: Float64Array, d: number, row: number, anchor: ArrayLike<number>): number {
	let [dot, square] = [0, 0];
	for (let c = 0; c < d; c++) {
		dot += unit[row * d + c] * anchor[c];
		square += anchor[c] * anchor[c];
	}
	return dot / Math.max(Math.sqrt(square), 1e-8);
}

/** Minus the cosine of each key with the mean direction of the head's keys. */
export function oddKeys(layer: LayerCache): Scores {
	const d = layer.headDim;
	return {
		byHead: headsOf(layer).map((head) => {
			const unit = directions(layer.keys(head), d);
			const n = unit.length / d;
			const anchor = new Float64Array(d);
			unit.forEach((value, at) => (anchor[at % d] += value / n));
			return Float64Array.from({ length: n }, (_, row) => -cosineWith(unit, d, row, anchor));
		}),
		meaning: 'minus the cosine of the key with the average direction of all keys'
	};
}

export default defineMethod({
	id: 'keydiff',
	title: 'KeyDiff',
	subtitle: 'keys unlike the others stay',
	family: 'eviction',
	paper: 'Park et al., KeyDiff: Key Similarity-Based KV Cache Eviction for Long-Context LLM Inference in Resource-Constrained Environments, 2025',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers. The paper chooses anew after every block of the prompt; a prompt that is read in blocks does that here, too.',
	failures: 'Nothing is protected: the newest token may go, and the first ones stay only because their keys usually point elsewhere. In a conversation it needs a window of newest tokens.',
	idea: 'Keys that look like all the others carry little that is distinctive. Measure each key against the average direction of the head and keep the odd ones. No query and no attention is needed. Nothing is protected: sinks stay only because their keys usually point elsewhere, and the newest token may go.',
	acts: 'After the prompt.',
	formula: String.raw`s_j=-\cos\Big(k_j,\ \frac1n\sum_i\frac{k_i}{\lVert k_i\rVert}\Big)`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2504.15364', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: { budget: BUDGET },
	needs: () => ({}),
	start: ({ slots }, params) => evictOnce(slots(params.budget as Budget), oddKeys)
});
