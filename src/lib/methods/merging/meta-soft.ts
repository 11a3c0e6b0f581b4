import type { LayerCache, MergeInstruction } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { chooseTop, decision, termsOf } from '../decide.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { sideBySide } from '../low-rank/joint.ts';
import { attentionRow, windowAttention, windowQueries } from '../observe.ts';
import { BUDGET, isOver, KEPT_BYTES } from '../once.ts';
import { meanOf, others, topSlots } from '../select.ts';
import { headsOf, rowsOf, slotsAt } from '../slots.ts';

/** Guard of the division by a load. */
const EPSILON = 1e-6;

/** Where the values of dropped slots flow. Rows are dropped slots, columns kept ones. */
export interface Flow {
	/** A: [dropped x kept], each row sums to 1 over its `targets` most alike keys. */
	alike: Float64Array;
	/** W: the same, balanced by load; rows sum to 1. */
	weights: Float64Array;
	/** [kept] column sums of A. */
	loads: Float64Array;
	/** [kept] how much of what arrives is let in, 0 to 1. */
	gates: Float64Array;
}

/** Keys are [dropped, width] and [kept, width]; `d` is what the logits are divided by the root of. */
export function flowOf(dropped: ArrayLike<number>, kept: ArrayLike<number>, width: number, d: number, targets: number, temperature: number): Flow {
	const [rows, columns] = [dropped.length / width, kept.length / width];
	const alike = new Float64Array(rows * columns);
	const loads = new Float64Array(columns);
	for (let i = 0; i < rows; i++) {
		const logits = Float64Array.from({ length: columns }, (_, j) => {
			let dot = 0;
			for (let c = 0; c < width; c++) dot += dropped[i * width + c] * kept[j * width + c];
			return dot / Math.sqrt(d) / temperature;
		});
		const nearest = topSlots(logits, targets);
		const most = nearest.reduce((best, j) => Math.max(best, logits[j]), -Infinity);
		const total = nearest.reduce((sum, j) => sum + Math.exp(logits[j] - most), 0);
		for (const j of nearest) {
			alike[i * columns + j] = Math.exp(logits[j] - most) / total;
			loads[j] += alike[i * columns + j];
		}
	}
	const weights = alike.map((share, at) => share / (loads[at % columns] + EPSILON));
	for (let i = 0; i < rows; i++) {
		const row = weights.subarray(i * columns, (i + 1) * columns);
		const total = row.reduce((a, b) => a + b, 0);
		row.forEach((weight, j) => (row[j] = weight / total));
	}
	const average = rows / columns;
	return { alike, weights, loads, gates: loads.map((load) => Math.min(1, average / (load + EPSILON))) };
}

/** v_j + strength g_j sum_i W_ij v_i for each kept slot that something flows into. `values` are the head's, [slots, d]. */
export function mergesOf({ weights, gates }: Flow, values: Float32Array, d: number, dropped: ArrayLike<number>, kept: ArrayLike<number>, strength: number): MergeInstruction[] {
	return Array.from(kept, (into, j): MergeInstruction => {
		const value = Float64Array.from(values.subarray(into * d, (into + 1) * d));
		const from: number[] = [];
		const shares: number[] = [];
		for (let i = 0; i < dropped.length; i++) {
			const weight = weights[i * kept.length + j];
			if (weight === 0) continue;
			from.push(dropped[i]);
			shares.push(strength * gates[j] * weight);
			for (let c = 0; c < d; c++) value[c] += strength * gates[j] * weight * values[dropped[i] * d + c];
		}
		return { into, from, weights: shares, value: Float32Array.from(value) };
	}).filter(({ from }) => from.length > 0);
}

/** True where all heads hold the same tokens, so that one choice can be made for all. */
const sameTokens = (layer: LayerCache): boolean => headsOf(layer).every((head) => String(layer.positions(head)) === String(layer.positions(0)));

/** Attention of the prompt's last `probes` tokens: by head, or one row for all heads from the sum of their logits. */
function probed(layer: LayerCache, seen: PromptView, probes: number, together: boolean): Scores {
	const meaning = 'mean attention of the probes, which are the last tokens of the prompt';
	if (!together) return { byHead: headsOf(layer).map((head) => meanOf(windowAttention(layer, seen, head, probes))), meaning };
	const { heads, kvHeads } = seen.model;
	const headOf = (queryHead: number) => Math.floor((queryHead * kvHeads) / heads);
	const queryHeads = Array.from({ length: heads }, (_, h) => h);
	const width = heads * layer.headDim;
	const keys = sideBySide(queryHeads.map((h) => layer.keys(headOf(h))), layer.headDim);
	const queries = sideBySide(queryHeads.map((h) => windowQueries(layer, seen, headOf(h), h, probes)), layer.headDim);
	const bias = layer.bias(0).map((_, slot) => queryHeads.reduce((sum, h) => sum + layer.bias(headOf(h))[slot], 0));
	const rows = queries.length / width;
	// The sum over heads is divided by the root of one head's width, not of all.
	const scaled = queries.map((x) => x * Math.sqrt(heads));
	const mean = meanOf(Array.from({ length: rows }, (_, t) => attentionRow(scaled.subarray(t * width, (t + 1) * width), keys, layer.positions(0), seen.n - rows + t, bias)));
	return { byHead: headsOf(layer).map(() => mean), meaning: `${meaning}, all heads together` };
}

export default defineMethod({
	id: 'meta-soft',
	title: 'Meta-Soft’s consolidation',
	subtitle: 'each lost value flows into a few kept ones',
	family: 'merging',
	paper: 'Meta-Soft: Leveraging Composable Meta-Tokens for Context-Preserving KV Cache Compression, 2026',
	confidence: 'Follows the paper; there is no official code. The number of targets, the temperature and the strength are not published, and it is not said whether heads act apart.',
	ours: 'The trained probes are not here: as in the paper’s own baseline the last tokens of the prompt ask in their place, causally. Heads act apart by default; with "together" a layer has one choice and one routing, as the paper’s formulas read, unless they hold different tokens. Targets are 4, the temperature is 1. "gamma" counts in units of 1 / (1 + tokens dropped per token kept), so that a kept value takes in no more than about one average lost value.',
	failures: 'At high compression a kept value that many lost ones resemble is mostly made of them unless "gamma" is small. A kept token still counts once in the softmax, so the attention that went to the lost ones is not made up for.',
	idea: 'Let the end of the prompt say what is needed and keep that. The values that lose are not thrown away: each is poured into the few kept tokens whose keys are most like its own. Popular targets are relieved, so that one hub does not swallow everything. Keys stay as they are.',
	acts: 'After the prompt.',
	formula: String.raw`A_{ij}=\operatorname{softmax}_{j\in\mathcal N_m(i)}\frac{k_i^\top k_j}{\sqrt d\,\tau},\quad W_{ij}\propto\frac{A_{ij}}{\ell_j},\quad \ell_j=\sum_iA_{ij},\quad \hat v_j=v_j+\gamma\min\!\Big(1,\frac{\bar\ell}{\ell_j}\Big)\sum_iW_{ij}v_i`,
	bytes: `${KEPT_BYTES} Nothing is stored for the merging.`,
	sources: ['https://arxiv.org/abs/2605.22337'],
	scorer: true,
	params: {
		budget: BUDGET,
		probes: { kind: 'int', default: 32, min: 1, max: 512, about: 'Last tokens of the prompt that ask.' },
		targets: { kind: 'int', default: 4, min: 1, max: 64, about: 'Kept tokens that a lost value is spread over.' },
		temperature: { kind: 'number', default: 1, min: 0.01, max: 10, step: 0.01, about: 'How evenly it is spread: small gives all to the most alike key.' },
		gamma: { kind: 'number', default: 1, min: 0, max: 10, step: 0.1, about: 'How much of it is let in, in units of 1 / (1 + tokens dropped per token kept); 0 is eviction alone.' },
		heads: { kind: 'choice', default: 'apart', options: ['apart', 'together'], about: 'Each KV head for itself, or one choice and one routing for all heads of a layer.' }
	},
	needs: (params) => ({ queries: { last: params.probes as number } }),
	start(context, params) {
		const capacity = context.slots(params.budget as Budget);
		const [targets, temperature, gamma] = [params.targets as number, params.temperature as number, params.gamma as number];
		const asOne = (layer: LayerCache) => params.heads === 'together' && sameTokens(layer);
		const score = (layer: LayerCache, seen: PromptView) => probed(layer, seen, params.probes as number, asOne(layer));
		return {
			score,
			prefilled(layer, seen) {
				if (!isOver(layer, capacity)) return;
				const together = asOne(layer);
				const scores = score(layer, seen);
				const d = layer.headDim;
				/** What the keys of a head are compared by: its own, or those of all heads side by side. */
				const keysOf = (head: number) => (together ? sideBySide(headsOf(layer).map((each) => layer.keys(each)), d) : layer.keys(head));
				const width = together ? layer.kvHeads * d : d;
				const plans = headsOf(layer).filter((head) => layer.length(head) > capacity).map((head) => {
					const { kept, safe } = chooseTop(layer, scores, head, capacity);
					const gone = others(layer.length(head), kept);
					// What lies in slow memory takes no part, and a value that a codec has written already takes nothing in.
					const [exact, away] = [layer.exact(head, 'V'), layer.offloaded(head)];
					const [dropped, open] = [gone.filter((slot) => !away[slot]), kept.filter((slot) => exact[slot] && !away[slot])];
					if (gamma === 0 || open.length === 0) return { head, kept, safe, merges: [] };
					const keys = keysOf(head);
					const flow = flowOf(rowsOf(keys, dropped, width), rowsOf(keys, open, width), width, d, targets, temperature);
					return { head, kept, safe, merges: mergesOf(flow, layer.values(head), d, dropped, open, gamma / (1 + gone.length / kept.length)) };
				});
				for (const { head, kept, safe, merges } of plans) {
					const positions = layer.positions(head);
					const stays = Int32Array.from(kept, (slot) => positions[slot]);
					const reasons = { decision: decision({ positions, scores: scores.byHead[head], meaning: scores.meaning, safe, terms: termsOf(scores, head), kept }) };
					layer.merge(head, merges, reasons);
					layer.keep(head, slotsAt(layer.positions(head), stays), reasons);
				}
			}
		};
	}
});
