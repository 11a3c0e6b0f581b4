/** What one token received in every step and head: of the full cache, computed again, and of the arm, as it was recorded. */
import type { TokenProbe } from '$lib/documents/trace.ts';
import { check, type ProbeSources } from './sources.ts';

/** Throws RangeError for a position that no step has read. */
export function tokenProbe(sources: ProbeSources, arm: number, position: number): TokenProbe {
	const { log, model: { layers, heads } } = sources;
	const steps = log.steps(arm);
	const n = sources.exact[arm].n;
	check('position', position, n + Math.max(0, steps - 1));
	const probe: TokenProbe = { kind: 'token', position, steps, full: new Float32Array(layers * heads * steps), arm: new Float32Array(layers * heads * steps) };
	for (let step = 0; step < steps; step++) {
		// The token of step s stands at position n - 1 + s and is read from then on.
		if (position >= n + step) continue;
		const normal = normalOf(sources, arm, step);
		for (let row = 0; row < layers * heads; row++) {
			const [layer, queryHead] = [Math.floor(row / heads), row % heads];
			probe.full[row * steps + step] = Math.exp(logit(sources, arm, step, layer, queryHead, position) - normal[row]);
			probe.arm[row * steps + step] = log.received(arm, step, layer, queryHead, position);
		}
	}
	return probe;
}

/** q k / sqrt d of the full cache fed the arm's tokens. */
function logit({ model, log, shadows }: ProbeSources, arm: number, step: number, layer: number, queryHead: number, position: number): number {
	const query = log.query(arm, step, layer, queryHead);
	const key = shadows[arm].layers[layer].heads[Math.floor((queryHead * model.kvHeads) / model.heads)].numbers(position, 'K');
	let dot = 0;
	for (let c = 0; c < query.length; c++) dot += query[c] * key[c];
	return dot / Math.sqrt(model.headDim);
}

/** Log-sum-exp over all positions of a step, [layers, heads]: the same for every token, so it is kept. */
function normalOf(sources: ProbeSources, arm: number, step: number): Float64Array {
	const { layers, heads } = sources.model;
	const kept = ((sources.normals ??= [])[arm] ??= []);
	return (kept[step] ??= Float64Array.from({ length: layers * heads }, (_, row) => {
		const logits = Float64Array.from({ length: sources.exact[arm].n + step }, (_, position) => logit(sources, arm, step, Math.floor(row / heads), row % heads, position));
		const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
		return max + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - max), 0));
	}));
}
