import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { keepAcross, offsetBytes } from '../across.ts';
import { largest, paidBySlot, pieces } from '../again.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { BUDGET, exactSlots } from '../once.ts';
import { projectedLengths } from '../projected.ts';
import { headsOf } from '../slots.ts';

const FIRST = '\n\nRepeat the previous context exactly.';
const LATER = '\n\nRepeat the part of the previous context exactly, starting with';
/** Tokens of the piece before that a later piece is introduced by. */
const LEAD = 8;

export default defineMethod({
	id: 'kvzip',
	title: 'KVzip',
	subtitle: 'what the model needs to repeat the text',
	family: 'eviction',
	paper: 'Kim et al., KVzip: Query-Agnostic KV Cache Compression with Context Reconstruction, NeurIPS 2025; KVzip+ in arXiv 2601.07891',
	confidence: 'Variant "released" follows kvpress 0.5.4 and agrees with its numbers, with and without "plus".',
	ours: 'The first tokens stay, as the paper means it; in kvpress 0.5.4 their scores are overwritten when there is no chat prefix, and variant "released" does the same. Evicted slots are really gone, where kvpress masks them at every read, and a head keeps one slot at least. By default the text is repeated without an instruction, since small models were not trained to follow one. Where the context is short the text is repeated in more pieces.',
	failures: 'It says nothing with a model that cannot copy a text. The prompt is read twice.',
	idea: 'Have the model read the whole text a second time, as if it repeated it, with the cache of the first time before it. A cached token that receives strong attention from somewhere is needed to rebuild the text; one that never does can go. No question is involved, so one compressed cache serves all questions. It costs another reading of the prompt, and it says something only for a model that can copy.',
	acts: 'After the prompt, by a second reading of it; one choice over all layers and heads.',
	formula: String.raw`s_{lhj}=\max_{h'\in g(h)}\ \max_{t\in\text{repeat}}\ a_{l,h',t,j}\Big[\cdot\frac{\lVert W_O^{(h')}v_j\rVert_2}{\lVert x_t\rVert_2}\Big]`,
	bytes: '4 d + 2 bytes a kept slot, and 4 (H + 1) bytes of offsets a layer. While it chooses, the cache holds one piece of the text more.',
	sources: ['https://arxiv.org/abs/2505.23416', 'https://github.com/snu-mllab/KVzip', 'https://github.com/NVIDIA/kvpress/pull/93', 'https://arxiv.org/abs/2601.07891'],
	scorer: true,
	params: {
		budget: { ...BUDGET, about: 'How much of the cache stays, on average over all heads.' },
		plus: { kind: 'boolean', default: false, about: 'KVzip+: weigh attention by the size of the value behind the output projection, over the size of the reader\'s input.' },
		layerwise: { kind: 'boolean', default: false, about: 'The same number of slots for every layer, instead of one cut for all.' },
		chunk: { kind: 'int', default: 2048, min: 16, max: 65536, about: 'Tokens that are repeated at a time; attention is over these and the first tokens.' },
		n_sink: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens that take part in every piece, and stay.' },
		instruction: { kind: 'boolean', default: false, about: 'Ask for the repetition in English before each piece, as published.' },
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'Whether the first tokens stay, or compete with the others as in kvpress 0.5.4.' }
	},
	needs: () => ({}),
	start(context, params) {
		const { text, model } = context;
		const sinks = params.n_sink as number;
		const introduce = (from: number) => {
			if (!params.instruction) return [];
			return from === 0 ? text.encode(FIRST) : [...text.encode(LATER), ...text.ids.slice(Math.max(0, from - LEAD), from)];
		};
		const repeats = pieces(context, params.chunk as number, introduce).map(({ from, to, before }) => ({
			from, to, reading: context.reading({
				ids: [...before, ...text.ids.slice(from, to)], over: 'prompt',
				columns: { take: 'max', own: true, among: { sinks: Math.min(sinks, from), from, to }, ...(params.plus ? { perInput: true } : {}) }
			})
		}));
		const output = params.plus ? context.weights('o_proj') : null;
		const exact = exactSlots(context, params.budget as Budget, offsetBytes(model.kvHeads));
		const score = (layer: LayerCache, seen: PromptView): Scores => {
			/** Each token's column comes from the piece that holds it; first tokens are lent to the others. */
			const column = (queryHead: number) => {
				// A wrapper may ask about the beginning alone, but all of the text was repeated.
				const paid = new Float64Array(Math.max(seen.n, text.ids.length));
				for (const { from, to, reading } of repeats) paid.set(seen.reading(reading).columns(queryHead).subarray(from, to), from);
				return paid;
			};
			const factor = output === null ? undefined : (queryHead: number, head: number) =>
				projectedLengths(output(layer.layer), queryHead, model.heads, layer.values(head), layer.headDim);
			return {
				byHead: paidBySlot(layer, model, column, largest, factor),
				...(params.variant === 'ours' ? { always: headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (p) => (p < sinks ? 1 : 0))) } : {}),
				meaning: params.plus ? 'largest attention while the text was repeated, weighed by the value behind the output projection' : 'largest attention while the text was repeated'
			};
		};
		return {
			score,
			// The text is repeated when all of it has been read.
			blockEnded() {},
			prefilledAll(layers, seen) {
				if (!Number.isFinite(exact)) return;
				const scores = layers.map((layer, l) => score(layer, seen[l]));
				const heads = model.kvHeads;
				// What goes is cut down to a whole number, as in kvpress.
				const kept = (count: number) => count * heads * seen[0].n - Math.trunc(count * heads * Math.max(0, seen[0].n - exact));
				if (!params.layerwise) keepAcross(layers, scores, kept(layers.length));
				else layers.forEach((layer, l) => keepAcross([layer], [scores[l]], kept(1)));
			}
		};
	}
});
