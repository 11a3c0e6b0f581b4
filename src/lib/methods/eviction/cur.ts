import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import type { Random } from '$lib/numerics/random.ts';
import { defineMethod, type Scores } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES } from '../once.ts';
import { headsOf } from '../slots.ts';

/** Columns of a random projection, as released. */
export const PROJECTION = 20;

/** [d, columns] of normal numbers with variance 1 / columns: projecting keeps squared lengths on average. */
export function gaussian(random: Random, d: number, columns: number): Float64Array {
	return Float64Array.from({ length: d * columns }, () => random.normal() / Math.sqrt(columns));
}

/** Squared length of each row of [n, d], after projection onto `onto`, [d, columns], where it is given. */
export function energies(block: ArrayLike<number>, d: number, onto?: Float64Array): Float64Array {
	const columns = onto ? onto.length / d : d;
	return Float64Array.from({ length: block.length / d }, (_, row) => {
		let sum = 0;
		for (let k = 0; k < columns; k++) {
			let x = onto ? 0 : block[row * d + k];
			for (let c = 0; onto && c < d; c++) x += block[row * d + c] * onto[c * columns + k];
			sum += x * x;
		}
		return sum;
	});
}

/** Each number's share of its run of `window`. A shorter last run is weighed by its length, unless as released. */
export function shares(values: Float64Array, window: number, released: boolean): Float64Array {
	const out = new Float64Array(values.length);
	for (let from = 0; from < values.length; from += window) {
		const run = values.subarray(from, from + window);
		const sum = run.reduce((a, b) => a + b, 0);
		const weight = released ? 1 : run.length / window;
		run.forEach((value, i) => (out[from + i] = sum > 0 ? (value / sum) * weight : 0));
	}
	return out;
}

export default defineMethod({
	id: 'cur',
	title: 'CurDKV',
	subtitle: 'large keys with large values stay',
	family: 'eviction',
	paper: 'Sengupta et al., Value-Guided KV Compression for LLMs via Approximated CUR Decomposition, NeurIPS 2025',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers, variant "released" where the last run is incomplete.',
	ours: 'In a last run of fewer tokens than the window every share is larger, so that a single last token beats all but the sinks; ours weighs the run by its length, variant "released" does not. A run without any energy gets 0, where released code divides by 0.',
	idea: 'Pick the rows that a CUR decomposition of keys and values would pick: tokens whose key and value carry much energy beside their neighbours. What is called leverage here is the squared length of the row. Where Knorm keeps short keys, this keeps long ones.',
	acts: 'After the prompt.',
	formula: String.raw`s_j\propto\frac{\lVert k_j\rVert^2}{\sum_{i\in W(j)}\lVert k_i\rVert^2}\cdot\frac{\lVert v_j\rVert^2}{\sum_{i\in W(j)}\lVert v_i\rVert^2}`,
	bytes: KEPT_BYTES,
	sources: ['https://arxiv.org/abs/2509.15038', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: BUDGET,
		num_sinks: { kind: 'int', default: 4, min: 0, max: 64, about: 'First tokens of the text, which get the score 1.' },
		leverage_type: { kind: 'choice', default: 'kv_product', options: ['kv_product', 'key', 'value', 'kv_avg'], about: 'Which energy counts: of key times value, of one of them, or their mean.' },
		local: { kind: 'boolean', default: true, about: 'Energy as a share of a run of neighbours, instead of over the whole text.' },
		window: { kind: 'int', default: 16, min: 1, max: 512, about: 'Neighbours in such a run.' },
		random_projection: { kind: 'boolean', default: false, about: 'Energy after projection onto 20 random directions, the same for keys and values.' },
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'How an incomplete last run is weighed: by its length, or not.' }
	},
	needs: () => ({}),
	start({ slots, random }, params) {
		const { num_sinks: sinks, window } = params as Record<string, number>;
		const type = params.leverage_type as string;
		const score = (layer: LayerCache): Scores => {
			const d = layer.headDim;
			const onto = params.random_projection ? gaussian(random.fork(`projection ${layer.layer}`), d, PROJECTION) : undefined;
			const part = (block: Float32Array) => {
				const all = energies(block, d, onto);
				return params.local ? shares(all, window, params.variant === 'released') : all;
			};
			const keys = headsOf(layer).map((head) => part(layer.keys(head)));
			const values = headsOf(layer).map((head) => part(layer.values(head)));
			const always = headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position < sinks ? 1 : 0)));
			const byHead = keys.map((key, head) => {
				const raw = key.map((k, slot) => combine(type, k, values[head][slot]));
				const total = raw.reduce((a, b) => a + b, 0);
				return raw.map((value, slot) => (always[head][slot] ? 1 : total > 0 ? value / total : 0));
			});
			const terms = [{ name: 'energy of the key', byHead: keys }, { name: 'energy of the value', byHead: values }];
			return { byHead, always, terms, meaning: 'share of the energy of keys and values; 1 for sinks' };
		};
		return evictOnce(slots(params.budget as Budget), score);
	}
});

function combine(type: string, key: number, value: number): number {
	if (type === 'kv_product') return key * value;
	if (type === 'kv_avg') return (key + value) / 2;
	return type === 'key' ? key : value;
}
