/** All heads over all steps, one number or three each. A step's are worked out once: they do not change. */
import { massesOf, meanMasses, type HeadMasses } from '$lib/documents/head-types.ts';
import type { LostProbe, TypesProbe } from '$lib/documents/trace.ts';
import type { ReferenceStep } from '../attention-log.ts';
import { fullAttention, fullRow, positionsAt } from './attention.ts';
import type { ProbeSources } from './sources.ts';

export function lostProbe(sources: ProbeSources, arm: number): LostProbe {
	const { layers, heads } = sources.model;
	const steps = sources.log.steps(arm);
	const mass = new Float32Array(steps * layers * heads);
	for (let step = 0; step < steps; step++) {
		const positions = positionsAt(sources, step);
		const row = new Float32Array(positions);
		const lost = sources.log.lost(arm, step, () => Float32Array.from({ length: layers * heads }, (_, i) =>
			fullRow(sources, { arm, step, layer: Math.floor(i / heads), queryHead: i % heads }, row, 0, positions)));
		mass.set(lost, step * layers * heads);
	}
	return { kind: 'lost', steps, mass };
}

export function typesProbe(sources: ProbeSources): TypesProbe {
	const { layers, heads } = sources.model;
	const { reference } = sources.log;
	const bySteps = reference.map((step, i) => (step.masses ??= massesAt(sources, step, positionsAt(sources, i))));
	const means = Array.from({ length: layers * heads }, (_, head) => meanMasses(bySteps.map((masses) => masses[head])));
	return {
		kind: 'types', steps: reference.length, copies: bySteps.filter(([head]) => head.copied !== null).length,
		first: Float32Array.from(means, (m) => m.first), last: Float32Array.from(means, (m) => m.last), copied: Float32Array.from(means, (m) => m.copied ?? 0)
	};
}

/** Where every head of the reference run looked in one step, [layers x heads]. */
function massesAt(sources: ProbeSources, { queries, copiedFrom }: ReferenceStep, positions: number): HeadMasses[] {
	const { layers, heads, headDim } = sources.model;
	const row = new Float32Array(positions);
	return Array.from({ length: layers * heads }, (_, i) => {
		fullAttention(sources, sources.reference, queries.subarray(i * headDim, (i + 1) * headDim), positions, Math.floor(i / heads), i % heads, row);
		return massesOf(row, copiedFrom);
	});
}
