import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { decision, keepTop } from '../decide.ts';
import { defineMethod, type Scores } from '../define.ts';
import { others, slotsWhere } from '../select.ts';
import { headsOf, union } from '../slots.ts';

/** 1 for the sinks (logical positions below `sinks`) of one head. */
function sinkMask(layer: LayerCache, head: number, sinks: number): Uint8Array {
	return Uint8Array.from(layer.positions(head), (position) => (position < sinks ? 1 : 0));
}

/** Score 1 for the sinks and for as many newest slots as the budget still allows, 0 between them. */
export function sinksAndRecent(layer: LayerCache, sinks: number, capacity: number): Scores {
	const meaning = '1 for a sink or a recent token, 0 between them';
	const sink = headsOf(layer).map((head) => Float64Array.from(sinkMask(layer, head, sinks)));
	const recent = sink.map((mask) => {
		const room = Math.max(1, capacity - mask.reduce((sum, flag) => sum + flag, 0));
		return mask.map((flag, slot) => (!flag && slot >= mask.length - room ? 1 : 0));
	});
	return {
		byHead: sink.map((mask, head) => mask.map((flag, slot) => Math.max(flag, recent[head][slot]))),
		always: sink.map((mask) => Uint8Array.from(mask)),
		terms: [
			{ name: 'sink', byHead: sink },
			{ name: 'recent', byHead: recent }
		],
		meaning
	};
}

export default defineMethod({
	id: 'streaming-llm',
	title: 'StreamingLLM',
	subtitle: 'attention sinks and a recent window',
	family: 'eviction',
	paper: 'Xiao et al., Efficient Streaming Language Models with Attention Sinks, ICLR 2024',
	confidence: 'The prompt form follows kvpress 0.5.4 and agrees with its numbers; the decode form follows descriptions of the paper.',
	ours: 'Sinks are protected by their position in the text, not by their place in the cache; a budget below the sinks is raised to sinks + 1.',
	failures: 'It forgets everything in the middle: it keeps a text going, it does not remember it. Without re-rotation a long text leaves the range of positions that the model was trained on.',
	idea: 'Models put attention that they have no use for on the first few tokens. Evict those sinks and the softmax has to put that mass elsewhere, and the text falls apart; keep them beside the newest tokens and generation stays fluent for any length. What lay between is forgotten: the method is stable, but it has no long memory.',
	acts: 'After the prompt; with decode, the oldest token that is not a sink leaves at every step.',
	formula: String.raw`\text{keep}=\{\,j<s\,\}\cup\{\,j\ge n-(m-s)\,\},\quad s=n_\text{sink}`,
	bytes: 'The kept keys and values in fp16, 4 d bytes a slot and KV head, and 2 bytes of position a slot.',
	sources: ['https://arxiv.org/abs/2309.17453', 'https://github.com/mit-han-lab/streaming-llm', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays, sinks included.' },
		n_sink: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens of the text that always stay.' },
		decode: { kind: 'boolean', default: true, about: 'Hold the budget while generating, too: one in, one out.' },
		rerotate: { kind: 'boolean', default: false, about: 'Number the kept tokens anew from 0 and turn their keys to those positions.' }
	},
	needs: () => ({}),
	rerotates: (params) => params.rerotate as boolean,
	start(context, params) {
		const sinks = params.n_sink as number;
		const rerotate = params.rerotate as boolean;
		const capacity = Math.max(sinks + 1, context.slots(params.budget as Budget));
		const mark = (layer: LayerCache, head: number) => {
			const mask = sinkMask(layer, head, sinks);
			layer.mark(head, slotsWhere(mask), 'sink');
		};
		return {
			score: (layer) => sinksAndRecent(layer, sinks, capacity),
			prefilled(layer) {
				if (!headsOf(layer).some((head) => layer.length(head) > capacity)) return;
				keepTop(layer, sinksAndRecent(layer, sinks, capacity), capacity);
				for (const head of headsOf(layer)) {
					mark(layer, head);
					if (rerotate) layer.rerotate(head);
				}
			},
			appended(layer) {
				if (!params.decode) return;
				for (const head of headsOf(layer)) {
					const length = layer.length(head);
					if (length <= capacity) continue;
					const safe = union(length, sinkMask(layer, head, sinks), layer.protectedSlots(head));
					const oldest = slotsWhere(safe.map((flag) => 1 - flag)).slice(0, length - capacity);
					const kept = others(length, oldest);
					const scores = new Float64Array(length).fill(1);
					for (const slot of oldest) scores[slot] = 0;
					layer.evict(head, oldest, {
						decision: decision({ positions: layer.positions(head), scores, safe, kept, meaning: '0 for the oldest token that is no sink' })
					});
					mark(layer, head);
					if (rerotate) layer.rerotate(head);
				}
			}
		};
	}
});
