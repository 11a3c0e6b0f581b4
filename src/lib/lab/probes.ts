/** What pictures ask for beyond the trace. Computed when asked, from what the run kept. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import type { AttentionProbe, GroupBox, HeadsProbe, MatrixProbe, ModelShape, Probe, ProbeRequest, SpectrumProbe } from '$lib/documents/trace.ts';
import { rankForEnergy, singularValues, symmetricEigen } from '$lib/numerics/linear.ts';
import type { Rotation } from '$lib/numerics/rope.ts';
import type { AttentionLog } from './attention-log.ts';
import type { ExactNumbers } from './exact.ts';

/** What a probe may look at. */
export interface ProbeSources {
	model: ModelShape;
	rope: Rotation;
	/** The prompt's full cache. */
	prompt: ArmCache;
	arms: ArmCache[];
	/** By arm: the full cache fed the arm's tokens. */
	shadows: ArmCache[];
	exact: ExactNumbers[];
	log: AttentionLog;
	/** Kept between probes. */
	tables?: Pick<SpectrumProbe, 'rank95KeyBefore' | 'rank95KeyAfter' | 'rank95Value'>;
}

/** Throws RangeError for a head, layer, arm or step that does not exist. */
export function takeProbe(sources: ProbeSources, request: ProbeRequest): Probe {
	const { model } = sources;
	check('arm', request.arm, sources.arms.length);
	if (request.kind === 'heads') return headsProbe(sources, request.arm, request.step);
	check('layer', request.layer, model.layers);
	if (request.kind === 'attention') {
		check('query head', request.queryHead, model.heads);
		return attentionProbe(sources, request.arm, request.layer, request.queryHead);
	}
	check('KV head', request.head, model.kvHeads);
	return request.kind === 'matrix' ? matrixProbe(sources, request) : spectrumProbe(sources, request.arm, request.layer, request.head);
}

function check(what: string, index: number, count: number): void {
	if (!Number.isInteger(index) || index < 0 || index >= count) throw new RangeError(`there is no ${what} ${index}; there are ${count}, from 0`);
}

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

function attentionProbe(sources: ProbeSources, arm: number, layer: number, queryHead: number): AttentionProbe {
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

function headsProbe(sources: ProbeSources, arm: number, step: number): HeadsProbe {
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

function matrixProbe(sources: ProbeSources, request: Extract<ProbeRequest, { kind: 'matrix' }>): MatrixProbe {
	const { arm, layer, head, which, rope } = request;
	const d = sources.model.headDim;
	const store = sources.arms[arm].layers[layer].heads[head];
	const { columns } = store.slots;
	const positions = store.slots.copy('position');
	const angles = store.slots.copy('angle');
	let original: Float32Array = new Float32Array(positions.length * d);
	positions.forEach((position, row) => original.set(sources.exact[arm].of(layer, head, position, which), row * d));
	let rebuilt = store.all(which);
	if (which === 'K') {
		// A re-rotated key is compared with its original turned to the same angle.
		const computedAt = positions.map((position) => sources.exact[arm].angle(position));
		const wanted = rope === 'before' ? angles.map(() => 0) : angles;
		original = sources.rope.rotate(original, wanted.map((angle, i) => angle - computedAt[i]), d);
		rebuilt = sources.rope.rotate(rebuilt, wanted.map((angle, i) => angle - angles[i]), d);
	}
	const encoded = Uint8Array.from(positions, (_, slot) => (store.isExact(slot, which) ? 0 : 1));
	const groups: GroupBox[] = [];
	let codec: string | undefined;
	const inside = which === 'K' ? columns.inK : columns.inV;
	const blockOf = which === 'K' ? columns.blockK : columns.blockV;
	for (const [id, block] of store.blocks) {
		if (block.which !== which) continue;
		codec ??= block.beforeRope ? `${block.codec.title}, before rotation` : block.codec.title;
		const slotOfRow = new Map<number, number>();
		for (let slot = 0; slot < positions.length; slot++) if (blockOf[slot] === id) slotOfRow.set(inside[slot], slot);
		const sameDomain = which === 'V' || block.beforeRope === (rope === 'before');
		for (const { rowFrom, rowTo, columnFrom, columnTo, lo, step, bits } of block.codec.groups(block.payload)) {
			const slots: number[] = [];
			for (let row = rowFrom; row < rowTo; row++) if (slotOfRow.has(row)) slots.push(slotOfRow.get(row)!);
			if (slots.length === 0) continue;
			groups.push({
				tokenFrom: Math.min(...slots), tokenTo: Math.max(...slots) + 1, channelFrom: columnFrom, channelTo: columnTo, bits,
				// Levels belong to the numbers that were encoded, in their rotation.
				...(sameDomain && lo !== undefined ? { lo, step } : {})
			});
		}
	}
	let error = 0;
	let energy = 0;
	for (let row = 0; row < positions.length; row++) {
		if (!encoded[row]) continue;
		for (let i = row * d; i < (row + 1) * d; i++) {
			error += (rebuilt[i] - original[i]) ** 2;
			energy += original[i] ** 2;
		}
	}
	return {
		kind: 'matrix', which, rope, positions, channels: d, original, rebuilt, encoded, groups,
		relativeMse: energy > 0 ? error / energy : 0, ...(codec ? { codec } : {})
	};
}

const KINDS = ['rank95KeyBefore', 'rank95KeyAfter', 'rank95Value'] as const;

/** The prompt's numbers of one head: keys before and after rotation, and values, [n, headDim] each. */
function promptMatrices({ prompt, rope, model, exact }: ProbeSources, layer: number, head: number): Float32Array[] {
	const store = prompt.layers[layer].heads[head];
	const keys = store.all('K');
	const back = Int32Array.from({ length: exact[0]?.n ?? store.length }, (_, i) => -i);
	return [rope.rotate(keys, back, model.headDim), keys, store.all('V')];
}

function spectrumProbe(sources: ProbeSources, arm: number, layer: number, head: number): SpectrumProbe {
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
