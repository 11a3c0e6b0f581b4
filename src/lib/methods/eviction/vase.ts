import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { fromHalf, toHalf } from '$lib/numerics/half.ts';
import type { Random } from '$lib/numerics/random.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type Scores } from '../define.ts';
import { attentionRow } from '../observe.ts';
import { BUDGET } from '../once.ts';
import { meanOf, poolAverage, topSlots } from '../select.ts';
import { groupOf, headsOf, union } from '../slots.ts';
import { energies, gaussian, PROJECTION } from './cur.ts';

const KERNEL = 5;

/** Largest minus smallest channel of each row of [n, d]. */
export function ranges(values: ArrayLike<number>, d: number): Float64Array {
	return Float64Array.from({ length: values.length / d }, (_, row) => {
		let [least, most] = [Infinity, -Infinity];
		for (let c = 0; c < d; c++) {
			least = Math.min(least, values[row * d + c]);
			most = Math.max(most, values[row * d + c]);
		}
		return most - least;
	});
}

/** log p + Gumbel noise: the k largest are k draws without replacement with chances proportional to p. */
export const lotteryOf = (p: Float64Array, random: Random): Float64Array =>
	p.map((chance) => Math.log(Math.max(chance, 1e-300)) - Math.log(-Math.log(1 - random.uniform()) + 1e-300));

/** Score by energy under a random projection, sum 1 before the sinks are set to 1. */
export function projectedEnergy(keys: ArrayLike<number>, values: ArrayLike<number>, d: number, onto: Float64Array, sinks: ArrayLike<number>): Float64Array {
	const byValue = energies(values, d, onto);
	const raw = energies(keys, d, onto).map((energy, slot) => energy * byValue[slot]);
	const total = raw.reduce((a, b) => a + b, 0);
	return raw.map((energy, slot) => (sinks[slot] ? 1 : total > 0 ? energy / total : 0));
}

export default defineMethod({
	id: 'vase',
	title: 'VaSE',
	subtitle: 'large values reserved, the rest by lot',
	family: 'eviction',
	paper: 'VaSE: Value-Aware Stochastic KV Cache Eviction for Reasoning Models, 2026',
	confidence: 'From the paper and a description of the official code; it has not been compared with that code by running it.',
	ours: 'The budget is what the cache never exceeds: it grows up to it, then falls by the buffer. In the released code the cache grows beyond the budget by the buffer. Default buffer 8, published 64. Sampling by Gumbel noise has the same law. Queries are stored, and used, as halves.',
	failures: 'Where values have no strong outliers, as may be in tiny models, the reserve protects nothing special. What stays depends on the seed, so one run says little.',
	idea: 'When abnormally large values are evicted, models fall into loops; and a hard choice repeats the same mistake every time. So reserve a part of the cache for values of large range, and draw the rest by lot with chances in proportion to attention. The newest tokens always stay.',
	acts: 'After the prompt and whenever the cache is full while decoding, as many tokens at a time as the buffer has.',
	formula: String.raw`R_V=\operatorname{top}_{N_v}\big(\max_c v_{jc}-\min_c v_{jc}\big),\qquad \text{the rest}\sim\bar\alpha\ \text{without replacement}`,
	bytes: 'The kept keys and values in fp16 and 2 bytes of position a slot; with attention also the last B queries of all heads in fp16.',
	sources: ['https://arxiv.org/abs/2606.03928', 'https://github.com/terarachang/VaSE'],
	params: {
		budget: { ...BUDGET, about: 'Size that the cache never exceeds.' },
		score: { kind: 'choice', default: 'attention', options: ['attention', 'energy'], about: 'Draw by attention (AttnV), or keep the largest energy under a fresh random projection (DKV).' },
		choose: { kind: 'choice', default: 'lot', options: ['lot', 'best'], about: 'With attention: draw by lot, or take the best, which is SnapKV.' },
		buffer: { kind: 'int', default: 8, min: 1, max: 256, about: 'Newest tokens that always stay, whose queries ask, and tokens dropped at a time; at most a quarter of the budget.' },
		reserve: { kind: 'number', default: 0.25, min: 0, max: 1, step: 0.05, about: 'Share of what stays that is reserved for values of the largest range.' },
		n_sink: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens of the text, which count as values of the largest range.' }
	},
	needs: (params) => (params.score === 'attention' ? { queries: { last: params.buffer as number }, stepQuery: true } : {}),
	start(context, params) {
		const { model, random } = context;
		const byAttention = params.score === 'attention';
		const asked = params.buffer as number;
		const queryBytes = byAttention ? (asked * (model.heads / model.kvHeads) * model.headDim * 2) : 0;
		const capacity = context.slots(params.budget as Budget, queryBytes);
		const limited = Number.isFinite(capacity);
		const buffer = limited ? Math.min(asked, Math.floor(capacity / 4)) : asked;
		const stays = capacity - buffer;
		const reserved = Math.min(Math.floor(stays * (params.reserve as number)), Math.max(0, stays - buffer));
		/** Last queries by layer and query head, oldest first, as halves. */
		const held = new Map<number, Uint16Array[][]>();
		const remember = (layer: LayerCache, queries: Uint16Array[][]) => {
			const last = queries.map((rows) => rows.slice(-Math.max(1, buffer)));
			held.set(layer.layer, last);
			const array = Uint16Array.from(last.flatMap((rows) => rows.flatMap((row) => Array.from(row))));
			layer.holdState('last queries', [{ item: 'state', array }]);
		};

		function attention(layer: LayerCache, head: number, before: number): Float64Array {
			const keys = layer.keys(head).subarray(0, before * layer.headDim);
			const positions = layer.positions(head).subarray(0, before);
			const bias = layer.bias(head);
			return meanOf(groupOf(head, model).map((queryHead) => {
				const rows = held.get(layer.layer)![queryHead].map((query) => attentionRow(fromHalf(query), keys, positions, Infinity, bias));
				return poolAverage(meanOf(rows), KERNEL);
			}));
		}

		/** Scores of the candidates, all but the newest `buffer` slots, which always stay, as the reserved do. */
		function choose(layer: LayerCache): Scores {
			const d = layer.headDim;
			const lots = random.fork(`${layer.layer} at ${layer.positions(0).at(-1)}`);
			const onto = byAttention ? null : gaussian(lots.fork('projection'), d, PROJECTION);
			const heads = headsOf(layer).map((head) => {
				const positions = layer.positions(head);
				const before = Math.max(0, positions.length - buffer);
				const newest = Uint8Array.from(positions, (_, slot) => (slot >= before ? 1 : 0));
				const sinks = Uint8Array.from(positions, (position) => (position < (params.n_sink as number) ? 1 : 0));
				const sizes = ranges(layer.values(head), d);
				if (onto) return { scores: projectedEnergy(layer.keys(head), layer.values(head), d, onto, sinks), always: newest, sizes, asked: sizes.map(() => 0) };
				const paid = new Float64Array(positions.length);
				paid.set(attention(layer, head, before));
				const scores = params.choose === 'lot' ? lotteryOf(paid, lots.fork(`head ${head}`)) : paid;
				const largest = new Uint8Array(positions.length);
				const rank = sizes.map((size, slot) => (sinks[slot] ? Number.MAX_VALUE : size)).subarray(0, before);
				for (const slot of topSlots(rank, reserved)) largest[slot] = 1;
				return { scores, always: union(positions.length, newest, largest), sizes, asked: paid };
			});
			return {
				byHead: heads.map(({ scores }) => scores),
				always: heads.map(({ always }) => always),
				terms: [{ name: 'range of the value', byHead: heads.map(({ sizes }) => sizes) }, { name: 'attention from the last tokens', byHead: heads.map(({ asked: paid }) => paid) }],
				meaning: onto ? 'energy of key and value under a random projection' : params.choose === 'lot' ? 'logarithm of the attention plus the luck of the draw' : 'attention from the last tokens'
			};
		}
		const cut = (layer: LayerCache) => {
			if (headsOf(layer).some((head) => layer.length(head) > capacity)) keepTop(layer, choose(layer), stays);
		};
		return {
			prefilled(layer, seen) {
				if (!limited) return;
				if (byAttention) {
					remember(layer, Array.from({ length: model.heads }, (_, queryHead) => {
						const all = seen.queries(queryHead);
						return Array.from({ length: all.length / layer.headDim }, (_, i) => toHalf(all.subarray(i * layer.headDim, (i + 1) * layer.headDim)));
					}));
				}
				cut(layer);
			},
			appended(layer, seen) {
				if (!limited) return;
				if (byAttention) remember(layer, held.get(layer.layer)!.map((rows, queryHead) => [...rows, toHalf(seen.query(queryHead))]));
				cut(layer);
			}
		};
	}
});
