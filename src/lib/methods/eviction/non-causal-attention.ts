import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { defineMethod, type PromptView } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES, standardise } from '../once.ts';
import { meanOf, poolAverage, rowNorms } from '../select.ts';
import { groupOf, headsOf, rowsOf } from '../slots.ts';

/**
 * What each key gets from all queries of its own chunk: column sums of softmax(Q K^T), without 1/sqrt d,
 * as released. Queries and keys are [n, d]. As `released`, an incomplete last chunk is filled up with
 * zero vectors that are not masked: as keys they take weight, as queries they give 1/chunk to everyone.
 */
export function chunkColumns(queries: Float32Array, keys: Float32Array, d: number, chunk: number, released: boolean): Float64Array {
	const n = keys.length / d;
	const columns = new Float64Array(n);
	for (let from = 0; from < n; from += chunk) {
		const size = Math.min(chunk, n - from);
		const filler = released ? chunk - size : 0;
		const logits = new Float64Array(size);
		for (let i = from; i < from + size; i++) {
			let max = filler ? 0 : -Infinity;
			for (let j = 0; j < size; j++) {
				let dot = 0;
				for (let c = 0; c < d; c++) dot += queries[i * d + c] * keys[(from + j) * d + c];
				logits[j] = dot;
				if (dot > max) max = dot;
			}
			let sum = filler * Math.exp(-max);
			for (let j = 0; j < size; j++) sum += logits[j] = Math.exp(logits[j] - max);
			for (let j = 0; j < size; j++) columns[from + j] += logits[j] / sum;
		}
		for (let j = 0; filler && j < size; j++) columns[from + j] += filler / chunk;
	}
	return columns;
}

/** Queries of the present slots, turned to where their keys stand now. */
function slotQueries(layer: LayerCache, seen: PromptView, head: number, queryHead: number): Float32Array {
	const positions = layer.positions(head);
	const queries = rowsOf(seen.queries(queryHead), positions, layer.headDim);
	const by = layer.rotaryPositions(head).map((angle, slot) => angle - positions[slot]);
	return by.some((turn) => turn !== 0) ? seen.rope.rotate(queries, by, layer.headDim) : queries;
}

/** Scores of all slots but the `first` and the `last` ones: column sums times the length of the value, averaged over three neighbours, in standard units. */
export function chunkAttention(layer: LayerCache, seen: PromptView, chunk: number, released: boolean, first = 0, last = 0): Float64Array[] {
	const d = layer.headDim;
	return standardise(headsOf(layer).map((head) => {
		const end = Math.max(first, layer.length(head) - last);
		const part = (block: Float32Array) => block.subarray(first * d, end * d);
		const keys = part(layer.keys(head));
		const columns = meanOf(groupOf(head, seen.model).map((queryHead) =>
			chunkColumns(part(slotQueries(layer, seen, head, queryHead)), keys, d, chunk, released)
		));
		const lengths = rowNorms(part(layer.values(head)), d);
		return poolAverage(columns.map((column, slot) => column * lengths[slot]), 3);
	}));
}

export default defineMethod({
	id: 'non-causal-attention',
	title: 'Non-causal attention',
	subtitle: 'judged by all queries of the same chunk',
	family: 'eviction',
	paper: 'Chari and Van Durme, Compactor: Calibrated Query-Agnostic KV Cache Compression with Approximate Leverage Scores, 2025',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers, variant "released" where the last chunk is incomplete.',
	ours: 'Released code fills an incomplete last chunk with zeros and masks them with -1e-9, where -1e9 was surely meant: they take part in the softmax. Ours leaves them out; variant "released" does not. Logits are not divided by the root of d, as released. The default chunk is 64, released is 256, since texts here are short.',
	failures: 'Nothing is protected, neither the first tokens nor the newest.',
	idea: 'Column sums of causal attention favour early tokens, which more queries can see. Drop the mask inside chunks of the text: each key is judged by all queries of its own chunk, those before it, too, and by the length of its value.',
	acts: 'After the prompt.',
	formula: String.raw`s=z\Big(\operatorname{avgpool}_3\Big(\lVert v_j\rVert\cdot\frac1G\sum_{h\in g}\sum_{i\in C(j)}\operatorname{softmax}_{C}(q_{h,i}K_C^\top)_j\Big)\Big)`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2507.08143', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: BUDGET,
		chunk: { kind: 'int', default: 64, min: 1, max: 1024, about: 'Tokens that judge each other.' },
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'Whether the filling of an incomplete last chunk is left out or takes part.' }
	},
	needs: () => ({ queries: 'all' }),
	start({ slots }, params) {
		return evictOnce(slots(params.budget as Budget), (layer, seen) => ({
			byHead: chunkAttention(layer, seen, params.chunk as number, params.variant === 'released'),
			meaning: 'attention from its own chunk times the length of the value, in standard units over the heads of the layer'
		}));
	}
});
