/** Stand-ins for what a model would supply: weights and shipped statistics of a made-up model, drawn by name. */
import type { ModelShape } from '$lib/documents/trace.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import type { Shipped, Supplies } from '../requests.ts';

export function randomSupplies(shape: ModelShape, name = 'supplies'): Supplies {
	const { heads, kvHeads, headDim: d, hidden } = shape;
	const outputs = { q_proj: heads * d, k_proj: kvHeads * d, v_proj: kvHeads * d, o_proj: hidden };
	return {
		weight: (which, layer) => fixtureNormal(`${name}/${which}.${layer}`, outputs[which] * (which === 'o_proj' ? heads * d : hidden)),
		shipped: (which) => randomShipped(which, shape, name)
	};
}

/** Data of the right form by its name; a new kind of shipped data needs a line here. */
function randomShipped(which: string, { layers, heads, kvHeads, headDim: d }: ModelShape, name: string): Shipped {
	const draw = (what: string, count: number) => fixtureNormal(`${name}/${which}/${what}`, count);
	if (which === 'q-filters') return { filters: draw('f', layers * kvHeads * d).map((x) => x / Math.sqrt(d)) };
	const share = (what: string) => draw(what, layers * kvHeads).map((x) => 1 / (1 + Math.exp(-x)));
	if (which === 'head-patterns') return { retrieval: share('r'), area: share('a') };
	if (which === 'head-budgets') return { mean: share('m'), deviation: share('d').map((x) => 0.1 * x) };
	if (which === 'query-statistics') {
		const covariance = new Float32Array(layers * heads * d * d);
		for (let head = 0; head < layers * heads; head++) {
			const a = draw(`a${head}`, d * d);
			for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) for (let k = 0; k < d; k++) covariance[(head * d + i) * d + j] += (a[i * d + k] * a[j * d + k]) / d;
		}
		return { mean: draw('m', layers * heads * d), covariance };
	}
	throw new Error(`no test data for "${which}": add it to testing/supplies.ts`);
}
