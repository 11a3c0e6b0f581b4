/** Attention of the steps so far: the full cache's computed again from its queries, the arm's as it was recorded. */
import type { AttentionProbe, HeadsProbe } from '$lib/documents/trace.ts';
import { check, type ProbeSources } from './sources.ts';

/** Positions that exist in `step`: step 0 runs over the prompt alone. */
const positionsAt = (sources: ProbeSources, step: number) => sources.exact[0].n + step;

/** softmax(q K^T / sqrt d) of the full cache over its first `count` positions, into `out` at `offset`. */
function fullAttention(sources: ProbeSources, arm: number, step: number, layer: number, queryHead: number, out: Float32Array, offset: number): void {
	const { model, log } = sources;
	const query = log.query(arm, step, layer, queryHead);
	const head = sources.shadows[arm].layers[layer].heads[Math.floor((queryHead * model.kvHeads) / model.heads)];
	const count = positionsAt(sources, step);
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

/** Fills one row of both and gives back the mass that the arm has lost. */
function bothRows(sources: ProbeSources, at: { arm: number; step: number; layer: number; queryHead: number }, rows: { full: Float32Array; arm: Float32Array; offset: number; span: number }): number {
	const { arm, step, layer, queryHead } = at;
	fullAttention(sources, arm, step, layer, queryHead, rows.full, rows.offset);
	sources.log.arm(arm, step, layer, queryHead, rows.arm, rows.offset);
	const present = sources.log.present(arm, step, layer, queryHead, rows.span);
	let lost = 0;
	for (let j = 0; j < rows.span; j++) if (!present[j]) lost += rows.full[rows.offset + j];
	return lost;
}

export function attentionProbe(sources: ProbeSources, arm: number, layer: number, queryHead: number): AttentionProbe {
	const steps = sources.log.steps(arm);
	const positions = positionsAt(sources, Math.max(0, steps - 1));
	const full = new Float32Array(steps * positions);
	const own = new Float32Array(steps * positions);
	const massLost = new Float32Array(steps);
	const massOnSummary = new Float32Array(steps);
	for (let step = 0; step < steps; step++) {
		massLost[step] = bothRows(sources, { arm, step, layer, queryHead }, { full, arm: own, offset: step * positions, span: positions });
		massOnSummary[step] = sources.log.summaryMass(arm, step, layer, queryHead);
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
	for (let layer = 0; layer < layers; layer++) {
		for (let queryHead = 0; queryHead < heads; queryHead++) {
			const row = layer * heads + queryHead;
			massLost[row] = bothRows(sources, { arm, step, layer, queryHead }, { full, arm: own, offset: row * positions, span: positions });
		}
	}
	return { kind: 'heads', step, positions, full, arm: own, massLost };
}
