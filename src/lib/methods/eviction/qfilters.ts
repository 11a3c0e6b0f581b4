import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type Scores } from '../define.ts';
import { BUDGET, evictOnce, isOver, KEPT_BYTES } from '../once.ts';
import { headsOf } from '../slots.ts';

/** Minus the product of each key with its head's filter, which points away from the queries. `filters`: [layers, kvHeads, d]. */
export function alongQueries(layer: LayerCache, filters: Float32Array): Float64Array[] {
	const d = layer.headDim;
	return headsOf(layer).map((head) => {
		const at = (layer.layer * layer.kvHeads + head) * d;
		const keys = layer.keys(head);
		return Float64Array.from({ length: layer.length(head) }, (_, slot) => {
			let dot = 0;
			for (let c = 0; c < d; c++) dot += filters[at + c] * keys[slot * d + c];
			return -dot;
		});
	});
}

export default defineMethod({
	id: 'qfilters',
	title: 'Q-Filters',
	subtitle: 'keys along the main direction of the queries',
	family: 'eviction',
	paper: 'Godey et al., Q-Filters: Leveraging QK Geometry for Efficient KV Cache Compression, 2025',
	confidence: 'With given filters it follows kvpress 0.5.4 and agrees with its numbers. From what filters were computed is said in the file that is shipped beside the model.',
	ours: 'The two published forms in one: without a window and without decode it is the one of kvpress; with both it is the authors’ cache, which always keeps the newest tokens and goes on choosing while it generates.',
	failures: 'A direction says what queries look for on average, never what one query looks for. Models whose queries have no main direction give filters that mean little.',
	idea: 'Queries and keys of a head lie along one common direction. Find the direction of the queries once for a model; then how far a key reaches along it tells how much attention it gets on average, without any query.',
	acts: 'After the prompt; with decode, at every step too.',
	formula: String.raw`s_j=-f^\top k_j,\qquad f=-\frac1G\sum_{h\in g}\sigma_h v_{h1},\qquad Q_h=U\Sigma V_h^\top`,
	bytes: `${KEPT_BYTES} The filters, d numbers a KV head, belong to the model.`,
	sources: ['https://arxiv.org/abs/2503.02812', 'https://github.com/NathanGodey/qfilters', 'https://github.com/NVIDIA/kvpress/pull/54'],
	scorer: true,
	params: {
		budget: BUDGET,
		window: { kind: 'int', default: 0, min: 0, max: 4096, about: 'Newest tokens that always stay.' },
		decode: { kind: 'boolean', default: false, about: 'Hold the budget while generating, too.' }
	},
	needs: () => ({}),
	start(context, params) {
		const window = params.window as number;
		const capacity = context.slots(params.budget as Budget);
		const filters = context.shipped('q-filters');
		/** `n`: tokens of the text so far. */
		const score = (layer: LayerCache, n: number): Scores => ({
			byHead: alongQueries(layer, filters().filters),
			always: headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position >= n - window ? 1 : 0))),
			meaning: 'how far the key reaches along the main direction of the queries'
		});
		return {
			...evictOnce(capacity, (layer, seen) => score(layer, seen.n)),
			appended(layer, seen) {
				if (params.decode && isOver(layer, capacity)) keepTop(layer, score(layer, seen.position + 1), capacity);
			}
		};
	}
});
