/** Attention of the steps so far: the full cache's computed again from its queries, the arm's as it was recorded. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import type { AttentionProbe, HeadsProbe } from '$lib/documents/trace.ts';
import { check, type ProbeSources } from './sources.ts';

/** Positions that exist in `step`: step 0 runs over the prompt alone. */
export const positionsAt = (sources: ProbeSources, step: number) => sources.prompt.layers[0].heads[0].length + step;

/** softmax(q K^T / sqrt d) of a full cache over its first `count` positions, into `out` at `offset`. */
export function fullAttention(sources: ProbeSources, cache: ArmCache, query: Float32Array, count: number, layer: number, queryHead: number, out: Float32Array, offset = 0): void {
	const { model } = sources;
	const head = cache.layers[layer].heads[Math.floor((queryHead * model.kvHeads) / model.heads)];
	const logits = new Float64Array(count);
	let max = -Infinity;
	for (let j = 0; j < count; j++) {
		const key = head.numbers(j, 'K');
		let dot = 0;
		for (let c = 0; c < query.length; c++) dot += query[c] * key[c];
		logits[j] = dot / Math.sqrt(model.headDim);
		if (logits[j] > max) max = logits[j];
	}
	let sum = 0;
	for (let j = 0; j < count; j++) sum += logits[j] = Math.exp(logits[j] - max);
	for (let j = 0; j < count; j++) out[offset + j] = logits[j] / sum;
}

/** What the full cache fed the arm's tokens reads, into `out`; gives back the mass that the arm has lost. */
export function fullRow(sources: ProbeSources, at: { arm: number; step: number; layer: number; queryHead: number }, out: Float32Array, offset: number, span: number): number {
	const { arm, step, layer, queryHead } = at;
	fullAttention(sources, sources.shadows[arm], sources.log.query(arm, step, layer, queryHead), positionsAt(sources, step), layer, queryHead, out, offset);
	const present = sources.log.present(arm, step, layer, queryHead, span);
	let lost = 0;
	for (let j = 0; j < span; j++) if (!present[j]) lost += out[offset + j];
	return lost;
}

export function attentionProbe(sources: ProbeSources, arm: number, layer: number, queryHead: number): AttentionProbe {
	const { log } = sources;
	const steps = log.steps(arm);
	const positions = positionsAt(sources, Math.max(0, steps - 1));
	const full = new Float32Array(steps * positions);
	const own = new Float32Array(steps * positions);
	const massLost = new Float32Array(steps);
	const massOnSummary = new Float32Array(steps);
	for (let step = 0; step < steps; step++) {
		massLost[step] = fullRow(sources, { arm, step, layer, queryHead }, full, step * positions, positions);
		log.arm(arm, step, layer, queryHead, own, step * positions);
		massOnSummary[step] = log.summaryMass(arm, step, layer, queryHead);
	}
	return { kind: 'attention', steps, positions, full, arm: own, massLost, massOnSummary };
}

export function headsProbe(sources: ProbeSources, arm: number, step: number): HeadsProbe {
	check('step', step, sources.log.steps(arm));
	const { layers, heads } = sources.model;
	const positions = positionsAt(sources, step);
	const full = new Float32Array(layers * heads * positions);
	const own = new Float32Array(layers * heads * positions);
	const massLost = new Float32Array(layers * heads);
	for (let row = 0; row < layers * heads; row++) {
		const [layer, queryHead] = [Math.floor(row / heads), row % heads];
		massLost[row] = fullRow(sources, { arm, step, layer, queryHead }, full, row * positions, positions);
		sources.log.arm(arm, step, layer, queryHead, own, row * positions);
	}
	return { kind: 'heads', step, positions, full, arm: own, massLost };
}
