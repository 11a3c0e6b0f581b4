import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { decision } from '../decide.ts';
import { defineMethod } from '../define.ts';
import { windowAttention } from '../observe.ts';
import { BUDGET } from '../once.ts';
import { exactSlots, TailMarks, wholeBlocks } from '../quantization/tail.ts';
import { meanOf, others, topSlots } from '../select.ts';
import { headsOf, realign, slotsAt } from '../slots.ts';
import { budgetOfLayer, confidence, heldPositions, int8Codec, retention } from './conf-kv-parts.ts';
import { attentionTo } from './moment-kv-momentum.ts';

/** Part of the old attention that stays at each step, and prompt queries that the first attention comes from. */
const DECAY = 0.9;
const FIRST_QUERIES = 16;

/** Fading attention of a layer's tokens, one number each for all heads. */
interface Attention {
	positions: Int32Array;
	values: Float64Array;
}

/** How much a layer may hold after a step, and why. */
interface Limit {
	slots: number;
	reason: string;
}

export default defineMethod({
	id: 'conf-kv',
	title: 'CONF-KV',
	subtitle: 'a small cache while sure, a larger one in doubt',
	family: 'eviction',
	paper: 'CONF-KV: Confidence-Aware KV Cache Eviction with Mixed-Precision Storage for Long-Horizon LLM Inference, 2026',
	confidence: 'From the text of the paper and its table of settings; no code was found.',
	ours: 'The prompt is the first step. Its tokens may go like any other, their age is their position, and their first attention is the mean of the last 16 prompt queries. The budget counts the token that was just read; the paper appends it after the eviction. 8-bit scales are for groups of tokens and never change, so up to a group waits in fp16. A budget in bytes counts every token as fp16, and 8 bits fall below it. The tight budget is a share of the loose one, published one half. For a random schedule as control set "schedule".',
	failures: 'A cut cannot be undone: what a sure step drops is missing when the model hesitates later. Where one token draws most of the attention, as the first one does, min-max leaves all others near 0 and recency decides: a quarter of the cache of a story of 400 tokens kept nano from finding a code in it in all of 8 runs. The measure depends on the size of the vocabulary: a gap of 10 logits over a flat rest is 0.99 of 256 tokens and 0.49 of 50000. On models of 14 to 32 billion parameters it is reported to follow the loss of old tokens only weakly.',
	idea: 'The model\'s own confidence decides how much memory it gets. When the next token is all but certain the cache is cut to a small size, when the model hesitates it may grow to a larger one. Inside the budget, tokens compete by attention that fades and by recency; survivors beyond the newest are stored in 8 bits.',
	acts: 'After the prompt and at every decode step; all heads of a layer lose the same tokens.',
	formula: String.raw`c=0.4\Big(1-\frac{H(p)}{\log|V|}\Big)+0.3\,\sigma\Big(\log\frac{p_{(1)}}{p_{(2)}}\Big)+0.3\,p_{(1)},\quad N=\begin{cases}N_\text{tight}&c\ge\tau\\N_\text{loose}&c<\tau\end{cases},\quad s_i=\alpha\,\hat a_i+(1-\alpha)\,\hat r_i`,
	bytes: '4 d bytes a slot and KV head in fp16, 2 d in 8 bits with 4 d / g of scales for groups of g; a group\'s scales stay until its last token is gone. 2 bytes of position a slot, what says which slots are in 8 bits, and 4 bytes of attention a token and layer. The age of a token is its position.',
	sources: ['https://arxiv.org/abs/2605.24786'],
	params: {
		budget: { ...BUDGET, about: 'The loose budget: what the cache may hold while the model hesitates, and never more.' },
		tight: { kind: 'number', default: 0.5, min: 0.01, max: 1, step: 0.01, about: 'Share of it that the cache is cut to while the model is sure; 1 is always the same size.' },
		threshold: { kind: 'number', default: 0.7, min: 0, max: 1.1, step: 0.01, about: 'Confidence from which the model counts as sure: 0 is always, above 1 never. Published is 0.7, with which 42 % of the steps of GPT-2 were; of nano\'s own, on our tasks, 91 % are.' },
		schedule: { kind: 'choice', default: 'confidence', options: ['confidence', 'random'], about: 'Who decides which steps are tight: the model\'s confidence, or, as control, a coin.' },
		rate: { kind: 'number', default: 0.42, min: 0, max: 1, step: 0.01, about: 'Share of steps that are tight where a coin decides.' },
		alpha: { kind: 'number', default: 0.65, min: 0, max: 1, step: 0.05, about: 'Weight of attention against recency: 0 is a window of the newest, 1 attention alone.' },
		recent: { kind: 'int', default: 8, min: 0, max: 4096, about: 'Newest tokens that stay, as far as the budget goes.' },
		int8: { kind: 'boolean', default: true, about: 'Whether tokens beyond the newest are stored in 8 bits.' },
		window: { kind: 'int', default: 24, min: 0, max: 4096, about: 'Newest tokens that are left exact.' },
		group: { kind: 'int', default: 8, min: 1, max: 512, about: 'Tokens that share the scales of an 8-bit block.' },
		beta: { kind: 'number', default: 1, min: 0.1, max: 1, step: 0.05, about: 'Factor by which budgets fall over the layers; 0.5 is the variant that is published as CONF-KV-L.' },
		floor: { kind: 'int', default: 24, min: 1, max: 4096, about: 'What falling budgets end at; published is 96.' }
	},
	needs: (params) => ({ queries: { last: FIRST_QUERIES }, stepAttention: true, ...(params.schedule === 'confidence' ? { nextLogits: true } : {}) }),
	start(context, params) {
		const { tight, threshold, rate, alpha, recent, window, group, beta, floor } = params as Record<string, number>;
		const { layers, kvHeads } = context.model;
		const loose = context.slots(params.budget as Budget, 0, 4 / kvHeads);
		const limited = Number.isFinite(loose);
		const byLayer = new Map<number, Attention>();
		const codec = int8Codec(group);
		const tail = new TailMarks(['K', 'V']);

		/** Sure or not, once a step for all layers. */
		let judged = { position: -1, sure: false, reason: '' };
		const judge = (position: number, logits: () => Float32Array) => {
			if (judged.position === position) return judged;
			if (params.schedule === 'random') {
				const sure = context.random.fork(`step ${position}`).chance(rate);
				return (judged = { position, sure, reason: sure ? 'the coin says tight' : 'the coin says loose' });
			}
			const c = confidence(logits());
			return (judged = { position, sure: c >= threshold, reason: `confidence ${c.toFixed(3)} ${c >= threshold ? 'reaches' : 'is below'} ${threshold}` });
		};
		const limitOf = (layer: LayerCache, position: number, logits: () => Float32Array): Limit => {
			const { sure, reason } = judge(position, logits);
			const slots = budgetOfLayer(sure ? Math.max(1, Math.floor(loose * tight)) : loose, layer.layer, layers, beta, floor);
			return { slots, reason: `${reason}, so this layer keeps ${slots}` };
		};

		const evict = (layer: LayerCache, { positions, values }: Attention, { slots, reason }: Limit): Attention => {
			const n = positions.length;
			if (n <= slots) return { positions, values };
			const guarded = new Set(headsOf(layer).flatMap((head) => Array.from(layer.positions(head)).filter((_, slot) => layer.protectedSlots(head)[slot])));
			const open = Uint8Array.from(positions, (position, i) => (guarded.has(position) || i >= n - Math.min(recent, slots) ? 0 : 1));
			const { scores, attention, recency } = retention(positions, values, open, alpha);
			const kept = topSlots(scores, Math.max(slots, guarded.size), open.map((flag, i) => (guarded.has(positions[i]) ? 2 : 1 - flag)));
			const leaving = Int32Array.from(others(n, kept), (i) => positions[i]);
			for (const head of headsOf(layer)) {
				const present = layer.positions(head);
				const gone = slotsAt(present, leaving);
				if (gone.length === 0) continue;
				const here = (numbers: ArrayLike<number>) => realign(positions, numbers, present);
				layer.evict(head, gone, {
					decision: decision({
						positions: present, scores: here(scores), safe: Uint8Array.from(here(open), (flag) => 1 - flag), kept: others(present.length, gone),
						terms: [{ name: 'fading attention', values: here(attention) }, { name: 'recency', values: here(recency) }],
						meaning: `${alpha} x fading attention + ${Number((1 - alpha).toPrecision(3))} x recency, each from 0 to 1; ${reason}`
					})
				});
			}
			return { positions: Int32Array.from(kept, (i) => positions[i]), values: Float64Array.from(kept, (i) => values[i]) };
		};

		/** Whole groups of exact tokens that are older than the window. */
		const encode = (layer: LayerCache, newest: number) => {
			if (!params.int8) return;
			for (const head of headsOf(layer)) for (const which of ['K', 'V'] as const) {
				const positions = layer.positions(head);
				const old = exactSlots(layer, head, which).filter((slot) => positions[slot] <= newest - window);
				for (const slots of wholeBlocks(old, group)) layer.encode(head, which, slots, codec);
			}
			tail.update(layer);
		};

		const act = (layer: LayerCache, newest: number, logits: () => Float32Array, attention: (positions: Int32Array) => Float64Array) => {
			if (limited) {
				const positions = heldPositions(layer);
				const left = evict(layer, { positions, values: attention(positions) }, limitOf(layer, newest, logits));
				byLayer.set(layer.layer, left);
				layer.holdState('fading attention', [{ item: 'state', array: Float32Array.from(left.values) }]);
			}
			encode(layer, newest);
		};

		return {
			prefilled(layer, seen) {
				if (params.int8) layer.declareEncoding();
				act(layer, seen.n - 1, () => seen.nextLogits(), (positions) => meanOf(headsOf(layer).flatMap((head) =>
					windowAttention(layer, seen, head, FIRST_QUERIES).map((row) => realign(layer.positions(head), row, positions)))));
			},
			...(limited || params.int8 ? {
				appended(layer, seen) {
					const old = byLayer.get(layer.layer);
					act(layer, seen.position, () => seen.nextLogits(), (positions) => {
						const paid = attentionTo(layer, seen, positions);
						const before = old ? realign(old.positions, old.values, positions) : new Float64Array(positions.length);
						return before.map((value, i) => DECAY * value + (1 - DECAY) * paid[i]);
					});
				}
			} : {})
		};
	}
});
