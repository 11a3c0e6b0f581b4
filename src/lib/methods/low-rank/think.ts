import { channelCodec } from '$lib/cache/codecs/channels.ts';
import type { LayerCache } from '$lib/cache/types.ts';
import { bytesOfPair } from '../budget.ts';
import { defineMethod, type PromptView } from '../define.ts';
import { exactSlots } from '../quantization/tail.ts';
import { topSlots } from '../select.ts';
import { groupOf, headsOf } from '../slots.ts';

/** Mean of the squares of each channel of [rows, d]. */
function energies(block: ArrayLike<number>, d: number): Float64Array {
	const sums = new Float64Array(d);
	for (let at = 0; at < block.length; at++) sums[at % d] += block[at] ** 2;
	return sums.map((sum) => (sum * d) / Math.max(1, block.length));
}

/**
 * What each channel of a head is worth, [d]: energy of the prompt's last `window` rotated queries,
 * mean over the group, times the energy of the keys that are present.
 */
export function channelWorth(layer: LayerCache, seen: PromptView, head: number, window: number): Float64Array {
	const d = layer.headDim;
	const keys = energies(layer.keys(head), d);
	const group = groupOf(head, seen.model);
	const worth = new Float64Array(d);
	for (const queryHead of group) {
		const queries = seen.queries(queryHead);
		energies(queries.subarray(Math.max(0, queries.length - window * d)), d).forEach((energy, c) => (worth[c] += (energy * keys[c]) / group.length));
	}
	return worth;
}

export default defineMethod({
	id: 'think',
	title: 'ThinK',
	subtitle: 'channels of keys go, not tokens',
	family: 'low-rank',
	paper: 'Xu et al., ThinK: Thinner Key Cache by Query-Driven Pruning, ICLR 2025',
	confidence: 'The channels are those of kvpress 0.5.4, and agree with it. Leaving the newest keys whole follows the description of the original code.',
	ours: 'Pruned channels are really not stored: a key is its kept channels in halves, and each head has a mask of one bit a channel. kvpress writes zeros and saves nothing. With "recent_size" 0 all keys of the prompt are pruned, as there; the original leaves the last 32 whole, as we do.',
	failures: 'Channels go one by one after the rotary embedding, which may split the two halves of a rotating pair.',
	idea: 'A channel of the keys matters for attention as much as the queries use it: the product of its energy in the queries and in the keys. Many contribute almost nothing. Drop the least of them from the keys of every token; values and later tokens stay as they are. Channels go one by one after the rotary embedding, so a rotating pair may lose one half.',
	acts: 'After the prompt.',
	formula: String.raw`w_c=\Big(\frac1G\sum_{h\in g}\frac1w\sum_i q_{h,ic}^2\Big)\Big(\frac1n\sum_j k_{jc}^2\Big),\qquad \text{drop the }\lfloor\rho d\rfloor\text{ least}`,
	bytes: '2 (d - p) bytes a pruned key and KV head, 2 d a whole one, 2 d a value, and d / 8 bytes of mask a head.',
	sources: ['https://arxiv.org/abs/2407.21018', 'https://github.com/SalesforceAIResearch/ThinK', 'https://github.com/NVIDIA/kvpress/pull/18'],
	params: {
		ratio: { kind: 'number', default: 0.4, min: 0, max: 0.99, step: 0.05, about: 'Share of the channels that goes.' },
		window: { kind: 'int', default: 32, min: 1, max: 512, about: 'Last prompt tokens whose queries say which channels are used.' },
		recent_size: { kind: 'int', default: 32, min: 0, max: 4096, about: 'Newest keys of the prompt that stay whole.' }
	},
	bytesOfHead(params, { headDim: d }) {
		const dropped = Math.trunc(d * (params.ratio as number));
		if (dropped === 0) return null;
		const whole = params.recent_size as number;
		return (slots) => slots * bytesOfPair(d) - Math.max(0, slots - whole) * dropped * 2 + (slots > whole ? Math.ceil(d / 8) : 0);
	},
	size: { params: ['ratio'], falls: true },
	needs: (params) => ({ queries: { last: params.window as number } }),
	start(context, params) {
		const d = context.model.headDim;
		const dropped = Math.trunc(d * (params.ratio as number));
		return {
			prefilled(layer, seen) {
				if (dropped === 0) return;
				layer.declareEncoding();
				for (const head of headsOf(layer)) {
					const positions = layer.positions(head);
					const slots = exactSlots(layer, head, 'K').filter((slot) => positions[slot] < seen.n - (params.recent_size as number));
					if (slots.length === 0) continue;
					const kept = new Uint8Array(d);
					for (const c of topSlots(channelWorth(layer, seen, head, params.window as number), d - dropped)) kept[c] = 1;
					layer.encode(head, 'K', slots, channelCodec(kept));
				}
			}
		};
	}
});
