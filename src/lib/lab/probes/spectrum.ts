/** How fast the singular values of the prompt's keys and values fall. */
import type { SpectrumProbe } from '$lib/documents/trace.ts';
import { rankForEnergy, singularValues, symmetricEigen } from '$lib/numerics/linear.ts';
import type { ProbeSources } from './sources.ts';

const KINDS = ['rank95KeyBefore', 'rank95KeyAfter', 'rank95Value'] as const;

/** The prompt's numbers of one head: keys before and after rotation, and values, [n, headDim] each. */
function promptMatrices({ prompt, rope, model, exact }: ProbeSources, layer: number, head: number): Float32Array[] {
	const store = prompt.layers[layer].heads[head];
	const keys = store.all('K');
	const back = Int32Array.from({ length: exact[0]?.n ?? store.length }, (_, i) => -i);
	return [rope.rotate(keys, back, model.headDim), keys, store.all('V')];
}

export function spectrumProbe(sources: ProbeSources, arm: number, layer: number, head: number): SpectrumProbe {
	const { model } = sources;
	const d = model.headDim;
	const [keyBefore, keyAfter, value] = promptMatrices(sources, layer, head)
		.map((m) => Float32Array.from(singularValues(m, m.length / d, d)));
	sources.tables ??= rankTables(sources);
	const blocks = [...sources.arms[arm].layers[layer].heads[head].blocks.values()].filter((block) => block.codec.rank !== undefined);
	const ofKey = blocks.find((block) => block.which === 'K');
	const ofValue = blocks.find((block) => block.which === 'V');
	return {
		kind: 'spectrum', keyBefore, keyAfter, value, ...sources.tables,
		...(ofKey ? { rankK: ofKey.codec.rank, place: ofKey.beforeRope ? 'before' as const : 'after' as const } : {}),
		...(ofValue ? { rankV: ofValue.codec.rank } : {})
	};
}

/** Rank for 95 % of the energy of every head, from the eigenvalues of X^T X. */
function rankTables(sources: ProbeSources) {
	const { layers, kvHeads, headDim: d } = sources.model;
	const tables = KINDS.map(() => new Uint16Array(layers * kvHeads));
	for (let layer = 0; layer < layers; layer++) {
		for (let head = 0; head < kvHeads; head++) {
			promptMatrices(sources, layer, head).forEach((m, kind) => {
				const gram = new Float64Array(d * d);
				for (let row = 0; row < m.length; row += d) {
					for (let a = 0; a < d; a++) for (let b = a; b < d; b++) gram[a * d + b] += m[row + a] * m[row + b];
				}
				for (let a = 0; a < d; a++) for (let b = 0; b < a; b++) gram[a * d + b] = gram[b * d + a];
				const singular = symmetricEigen(gram, d).values.map((x) => Math.sqrt(Math.max(0, x)));
				tables[kind][layer * kvHeads + head] = rankForEnergy(singular, 0.95);
			});
		}
	}
	return Object.fromEntries(KINDS.map((kind, i) => [kind, tables[i]])) as Record<typeof KINDS[number], Uint16Array>;
}
