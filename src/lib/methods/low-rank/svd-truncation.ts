import { lowRankCodec } from '$lib/cache/codecs/lowrank.ts';
import type { Codec, LayerCache, Which } from '$lib/cache/types.ts';
import { rankForEnergy, symmetricEigen } from '$lib/numerics/linear.ts';
import { bytesOfPair } from '../budget.ts';
import { defineMethod, type Rope } from '../define.ts';
import { exactSlots } from '../quantization/tail.ts';
import { headsOf, rowsOf } from '../slots.ts';
import { jointBasis, jointCodecs, sideBySide, type JointBasis } from './joint.ts';

type Place = 'before' | 'after';

/** Right singular vectors of a [rows, d] block, best first ([d x d], column i = vector i), and singular values. */
export function rightVectors(block: Float32Array, d: number): { vectors: Float64Array; values: Float64Array } {
	const gram = new Float64Array(d * d);
	for (let at = 0; at < block.length; at += d) {
		for (let a = 0; a < d; a++) {
			const x = block[at + a];
			for (let b = a; b < d; b++) gram[a * d + b] += x * block[at + b];
		}
	}
	for (let a = 0; a < d; a++) for (let b = 0; b < a; b++) gram[a * d + b] = gram[b * d + a];
	const { values, vectors } = symmetricEigen(gram, d);
	return { vectors, values: values.map((square) => Math.sqrt(Math.max(0, square))) };
}

/** The first `rank` columns of a [d x d] matrix, as [d x rank]. */
export function firstColumns(vectors: Float64Array, d: number, rank: number): Float64Array {
	const basis = new Float64Array(d * rank);
	for (let c = 0; c < d; c++) for (let i = 0; i < rank; i++) basis[c * rank + i] = vectors[c * d + i];
	return basis;
}

/** Exact slots of each head; with `together` only those of tokens that are exact in all heads. */
function slotsToWrite(layer: LayerCache, which: Which, together: boolean): Int32Array[] {
	const slots = headsOf(layer).map((head) => exactSlots(layer, head, which));
	if (!together) return slots;
	const positions = headsOf(layer).map((head) => layer.positions(head));
	const counts = new Map<number, number>();
	slots.forEach((list, head) => list.forEach((slot) => counts.set(positions[head][slot], (counts.get(positions[head][slot]) ?? 0) + 1)));
	return slots.map((list, head) => list.filter((slot) => counts.get(positions[head][slot]) === slots.length));
}

export default defineMethod({
	id: 'svd-truncation',
	title: 'SVD truncation',
	subtitle: 'the best plane of a prompt, and coordinates on it',
	family: 'low-rank',
	paper: 'Textbook (Eckart and Young, 1936); the yardstick of every low-rank method',
	confidence: 'Textbook.',
	ours: 'With scope "layer", heads that hold different tokens (after an eviction by head) fall back to one basis each.',
	failures: 'Values lie less flat than keys, and at high ranks an error in them costs more.',
	idea: 'A matrix of many keys of d numbers often lies near a plane of fewer dimensions. Store the plane once and r coordinates a token. Before the rotary embedding, keys lie in a much flatter plane than after it, since rotation smears it over the positions; values are the least flat.',
	acts: 'After the prompt, which gives the basis; each new token is written in the same basis.',
	formula: String.raw`X=U\Sigma V^\top,\qquad C=XV_r,\qquad \hat X=CV_r^\top`,
	bytes: 'Keys and values apart: r numbers a token and d r numbers of basis, for each head; with scope "layer" r numbers a token and H d r of basis for all heads together.',
	sources: ['https://arxiv.org/abs/2512.05916', 'https://arxiv.org/abs/2407.21118', 'https://arxiv.org/abs/2408.05646'],
	params: {
		rankK: { kind: 'int', default: 16, min: 1, max: 512, about: 'Coordinates kept of a key; as many as it has channels leaves keys as they are.' },
		rankV: { kind: 'int', default: 24, min: 1, max: 512, about: 'Coordinates kept of a value; as many as it has channels leaves values as they are.' },
		energy: { kind: 'number', default: 0, min: 0, max: 1, step: 0.01, about: 'If above 0: each head takes the least rank with this share of the energy, instead of the ranks above.' },
		place: { kind: 'choice', default: 'before', options: ['before', 'after'], about: 'Keys before or after their rotary embedding.' },
		scope: { kind: 'choice', default: 'head', options: ['head', 'layer'], about: 'Each head for itself, or all heads of a layer side by side with shared coordinates; ranks count what is shared.' },
		precision: { kind: 'choice', default: 16, options: [16, 32], about: 'Bits of a stored coordinate and of the basis.' }
	},
	// Values lie the least flat, so they are raised first.
	size: { params: ['rankV', 'rankK'] },
	bytesOfHead(params, { headDim: d }) {
		// What the energy asks for is known once the numbers are; heads that differ cannot share a basis.
		if ((params.energy as number) > 0 || params.scope === 'layer') return null;
		const size = (params.precision as number) / 8;
		const ofSide = (rank: number, slots: number) => (rank >= d ? (slots * bytesOfPair(d)) / 2 : size * Math.min(rank, slots) * (slots + d));
		return (slots) => ofSide(params.rankK as number, slots) + ofSide(params.rankV as number, slots);
	},
	needs: () => ({}),
	start(context, params) {
		const d = context.model.headDim;
		const place = params.place as Place;
		const energy = params.energy as number;
		const precision = params.precision as 16 | 32;
		/** What each layer and side is written with: a codec a head (null: left as it is), or a joint basis. */
		const bases = new Map<string, (Codec | null)[] | JointBasis>();
		const name = (layer: LayerCache, which: Which) => `${layer.layer}/${which}`;

		const blockOf = (layer: LayerCache, head: number, which: Which, slots: Int32Array, rope: Rope): Float32Array => {
			const rows = rowsOf(which === 'K' ? layer.keys(head) : layer.values(head), slots, d);
			if (which === 'V' || place === 'after') return rows;
			const angles = layer.rotaryPositions(head);
			return rope.rotate(rows, Array.from(slots, (slot) => -angles[slot]), d);
		};
		/** The best basis of a block of `width` channels, or null if it would be no smaller. */
		const basisOf = (block: Float32Array, width: number, which: Which) => {
			const { vectors, values } = rightVectors(block, width);
			const wanted = energy > 0 ? Math.max(1, rankForEnergy(values, energy)) : (params[`rank${which}`] as number);
			const rank = Math.min(wanted, block.length / width);
			return rank < 1 || wanted >= width ? null : { basis: firstColumns(vectors, width, rank), rank };
		};
		const choose = (layer: LayerCache, which: Which, rope: Rope): void => {
			const slots = slotsToWrite(layer, which, false);
			const blocks = headsOf(layer).map((head) => blockOf(layer, head, which, slots[head], rope));
			const together = slotsToWrite(layer, which, true);
			if (params.scope === 'layer' && together.every((list, head) => list.length === slots[head].length)) {
				const found = basisOf(sideBySide(blocks, d), blocks.length * d, which);
				if (found) bases.set(name(layer, which), jointBasis(found.basis, d, found.rank, precision));
				return;
			}
			bases.set(name(layer, which), blocks.map((block) => {
				const found = basisOf(block, d, which);
				return found && lowRankCodec({ basis: found.basis, columns: d, rank: found.rank, precision });
			}));
		};
		const encode = (layer: LayerCache, which: Which, rope: Rope): void => {
			const basis = bases.get(name(layer, which));
			if (!basis) return;
			const joint = !Array.isArray(basis);
			const slots = slotsToWrite(layer, which, joint);
			if (joint && slots[0].length === 0) return;
			const codecs = joint ? jointCodecs(headsOf(layer).map((head) => blockOf(layer, head, which, slots[head], rope)), basis) : basis;
			for (const head of headsOf(layer)) {
				const codec = codecs[head];
				if (!codec || slots[head].length === 0) continue;
				if (which === 'K' && place === 'before') layer.encodeBeforeRope(head, slots[head], codec);
				else layer.encode(head, which, slots[head], codec);
			}
		};
		return {
			prefilled(layer, seen) {
				for (const which of ['K', 'V'] as const) {
					choose(layer, which, seen.rope);
					encode(layer, which, seen.rope);
				}
			},
			appended(layer, seen) {
				encode(layer, 'K', seen.rope);
				encode(layer, 'V', seen.rope);
			}
		};
	}
});
