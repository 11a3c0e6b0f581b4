/** Attention in float64 with plain loops, written from the definition. For tests. */
import type { Block } from '../testing.ts';

export function attentionReference(query: Block, keys: Block, values: Block, bias: Block, at: Int32Array) {
	const [batch, heads, tokens, dim] = query.shape;
	const [, kvHeads, capacity] = keys.shape;
	const out = new Float64Array(batch * heads * tokens * dim);
	const logSumExp = new Float64Array(batch * heads * tokens);
	const probabilities = new Float64Array(batch * heads * tokens * capacity);
	const columnSums = new Float64Array(batch * heads * capacity);
	for (let row = 0; row < batch * heads * tokens; row++) {
		const t = row % tokens;
		const head = Math.floor(row / tokens);
		const base = Math.floor(head / heads) * kvHeads + Math.floor((head % heads) / (heads / kvHeads));
		const scores = Array.from({ length: capacity }, (_, place) => {
			const own = place - at[base];
			const extra = own >= 0 && own < tokens ? 0 : bias.data[base * capacity + place];
			if (extra <= -1e29 || (own > t && own < tokens)) return -Infinity;
			let dot = 0;
			for (let c = 0; c < dim; c++) dot += query.data[row * dim + c] * keys.data[(base * capacity + place) * dim + c];
			return dot / Math.sqrt(dim) + extra;
		});
		const peak = Math.max(...scores);
		const total = scores.reduce((sum, s) => sum + Math.exp(s - peak), 0);
		logSumExp[row] = peak + Math.log(total);
		scores.forEach((score, place) => {
			const p = Math.exp(score - peak) / total;
			probabilities[row * capacity + place] = p;
			columnSums[head * capacity + place] += p;
			for (let c = 0; c < dim; c++) out[row * dim + c] += p * values.data[(base * capacity + place) * dim + c];
		});
	}
	return { out, logSumExp, probabilities, columnSums };
}
