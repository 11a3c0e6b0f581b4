import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { keepAcross, offsetBytes } from '../across.ts';
import { paidBySlot, pieces } from '../again.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { BUDGET } from '../once.ts';
import { meanOf, rowNorms, topSlots } from '../select.ts';
import { headsOf, realign } from '../slots.ts';

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** Composite scores of a layer, best first: at rank i the mean over heads of their i-th best scores, of those that have one. */
export function composites(byHead: readonly Float64Array[]): Float64Array {
	const sorted = byHead.map((row) => row.slice().sort().reverse());
	const ranks = Math.max(0, ...sorted.map((row) => row.length));
	return Float64Array.from({ length: ranks }, (_, i) => mean(sorted.filter((row) => i < row.length).map((row) => row[i])));
}

/**
 * Slots a head for each layer when the best `total` composites of all layers stay, `least` of each in any case.
 * The first layer goes by the best composite of all layers at each rank, so it keeps as many as any other.
 */
export function composedBudgets(byLayer: readonly Float64Array[], total: number, least: number): number[] {
	const sure = Math.min(least, Math.floor(total / byLayer.length));
	const rows = byLayer.map((row) => row.slice());
	rows[0].forEach((_, i) => (rows[0][i] = Math.max(...byLayer.map((row) => row[i] ?? -Infinity))));
	const always = Uint8Array.from(rows.flatMap((row) => Array.from(row, (_, i) => (i < sure ? 1 : 0))));
	const layers = rows.flatMap((row, layer) => Array.from(row, () => layer));
	const counts = rows.map(() => 0);
	for (const i of topSlots(rows.flatMap((row) => Array.from(row)), total, always)) counts[layers[i]]++;
	return counts;
}

export default defineMethod({
	id: 'kvcompose',
	title: 'KVCompose',
	subtitle: 'each head its own tokens, each layer its own length',
	family: 'eviction',
	paper: 'KVCompose: Efficient Structured KV Cache Compression with Composite Tokens, 2025',
	confidence: 'The rules are those of kvpress 0.5.4, read line by line; there were no reference numbers to compare with.',
	ours: 'The texts that ask are the prompt itself, read again; kvpress also takes prompts of a task. Where the context has no room for the whole prompt twice, it is read again in pieces that do not see each other. The first layer is made the longest, as in kvpress, whose library reads the length of a cache there. A layer keeps one token a head at least, inside the budget and not beside it.',
	failures: 'The prompt is read twice, with twice the memory. Without "structured", heads differ in length, which takes offsets and a kernel that can read them.',
	idea: 'Have the model read the text a second time and see what each head looks back at. Heads like different tokens, but a plain cache has the same length in all heads of a layer. So line up the i-th favourite of every head as one composite token, whose score is their mean, and let all layers compete for how many composites each may keep.',
	acts: 'After the prompt, by a second reading of it; one choice over all layers.',
	formula: String.raw`s_{lhj}=\tilde s_{lhj}+\frac1H\sum_{h'}\tilde s_{lh'j},\quad \tilde s_{lhj}=\frac1G\sum_{h'\in g(h)}\max_{t\in\text{again}}a_{l,h',t,j},\qquad c_{li}=\frac1H\sum_h s_{lh(i)},\quad m_l=\big|\{i:c_{li}\in\operatorname{top}\}\big|`,
	bytes: 'The kept keys and values in fp16, 4 d bytes a slot and KV head, and 2 bytes of position a slot, which differs from head to head. All heads of a layer are equally long; without "structured" 4 (H + 1) bytes of offsets a layer are added.',
	sources: ['https://arxiv.org/abs/2509.05165', 'https://github.com/NVIDIA/kvpress/pull/137'],
	scorer: true,
	params: {
		budget: { ...BUDGET, about: 'How much of the cache stays, on average over the layers.' },
		structured: { kind: 'boolean', default: true, about: 'Whether all heads of a layer keep equally many tokens; without it each head competes for itself.' },
		over_readers: { kind: 'choice', default: 'max', options: ['max', 'mean'], about: 'What counts of the attention of all tokens of the second reading: the largest, or the mean.' },
		value_length: { kind: 'boolean', default: false, about: 'Whether attention is multiplied by the length of the value.' },
		add_mean: { kind: 'boolean', default: true, about: 'Whether the mean over the heads of the layer is added to each head\'s score.' },
		least: { kind: 'int', default: 1, min: 1, max: 4096, about: 'Composite tokens that each layer keeps in any case, as far as the budget goes.' }
	},
	needs: () => ({}),
	start(context, params) {
		const { text, model } = context;
		const budget = params.budget as Budget;
		const structured = params.structured as boolean;
		const take = params.over_readers as 'max' | 'mean';
		const again = pieces(context, Infinity, () => []).map(({ from, to }) =>
			context.reading({ ids: text.ids.slice(from, to), over: 'prompt', columns: { take, own: true } }));
		const slots = context.slots(budget, structured ? 0 : offsetBytes(model.kvHeads), 0, true);
		const score = (layer: LayerCache, seen: PromptView): Scores => {
			/** The pieces' columns put together: the largest, or the mean over the tokens of all. */
			const column = (queryHead: number) => again.map((reading) => seen.reading(reading)).map(({ n, columns }) => ({ n, paid: columns(queryHead) }))
				.reduce((sum, { n, paid }) => ({
					n: sum.n + n, paid: paid.map((x, j) => (take === 'max' ? Math.max(x, sum.paid[j]) : (n * x + sum.n * sum.paid[j]) / (n + sum.n)))
				})).paid;
			const lengths = params.value_length ? headsOf(layer).map((head) => rowNorms(layer.values(head), layer.headDim)) : null;
			const own = paidBySlot(layer, model, column, mean, lengths ? (_, head) => lengths[head] : undefined);
			const means = headsOf(layer).map((head) => meanOf(own.map((row, other) => realign(layer.positions(other), row, layer.positions(head)))));
			return {
				byHead: params.add_mean ? own.map((row, head) => row.map((value, slot) => value + means[head][slot])) : own,
				terms: [{ name: 'attention of the second reading', byHead: own }, { name: 'mean over the heads', byHead: means }],
				meaning: `${take === 'max' ? 'largest' : 'mean'} attention while the text was read again${params.add_mean ? ', plus its mean over the heads' : ''}`
			};
		};
		return {
			score,
			// The text is read again when all of it has been read.
			blockEnded() {},
			prefilledAll(layers, seen) {
				if (!Number.isFinite(slots)) return;
				const scores = layers.map((layer, l) => score(layer, seen[l]));
				const kept = (rows: number) => Math.max(rows, 'fraction' in budget ? Math.trunc(rows * seen[0].n * budget.fraction) : rows * slots);
				if (!structured) return keepAcross(layers, scores, kept(layers.length * model.kvHeads));
				const counts = composedBudgets(scores.map(({ byHead }) => composites(byHead)), kept(layers.length), params.least as number);
				layers.forEach((layer, l) => keepTop(layer, { ...scores[l], meaning: `${scores[l].meaning}; this layer keeps ${counts[l]}` }, counts[l]));
			}
		};
	}
});
