import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import type { Random } from '$lib/numerics/random.ts';
import { defineMethod, type Scores } from '../define.ts';
import { BUDGET, evictOnce, KEPT_BYTES } from '../once.ts';
import { headsOf } from '../slots.ts';

/** A uniform number for every layer, head and logical position; where layers agree, for every head and position. */
export function lots(layer: LayerCache, random: Random, sameLayers: boolean): Scores {
	return {
		byHead: headsOf(layer).map((head) => {
			const positions = layer.positions(head);
			const stream = random.fork(`lots ${sameLayers ? 'any' : layer.layer}/${head}`);
			const drawn = Float64Array.from({ length: (positions.at(-1) ?? -1) + 1 }, () => stream.uniform());
			return Float64Array.from(positions, (position) => drawn[position]);
		}),
		meaning: 'a random number from 0 to 1'
	};
}

export default defineMethod({
	id: 'random-eviction',
	title: 'Random eviction',
	subtitle: 'the control: a lot for every token',
	family: 'eviction',
	paper: 'None; RandomPress of kvpress',
	confidence: 'The rule is that of kvpress 0.5.4. The random numbers are our own, so kept sets cannot be compared.',
	ours: 'Layers draw independently. With a seed, kvpress 0.5.4 gives all layers the same numbers, which is harsher; "same_layers" does that.',
	idea: 'Every method must beat a coin. Each head of each layer keeps tokens drawn by lot, so what one head has lost another may still hold, and the text often stays readable for the model.',
	acts: 'After the prompt.',
	formula: String.raw`s_j\sim\mathcal U[0,1)`,
	bytes: KEPT_BYTES,
	sources: ['https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: BUDGET,
		same_layers: { kind: 'boolean', default: false, about: 'All layers draw the same numbers and so lose the same tokens.' }
	},
	needs: () => ({}),
	start: ({ slots, random }, params) => evictOnce(slots(params.budget as Budget), (layer) => lots(layer, random, params.same_layers as boolean))
});
