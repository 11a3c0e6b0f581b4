import { lowRankCodec } from '$lib/cache/codecs/lowrank.ts';
import type { Codec, LayerCache, Which } from '$lib/cache/types.ts';
import { rankForEnergy, symmetricEigen } from '$lib/numerics/linear.ts';
import { defineMethod, type Rope } from '../define.ts';
import { exactSlots } from '../quantization/tail.ts';
import { headsOf, rowsOf } from '../slots.ts';

type Place = 'before' | 'after';

/** Right singular vectors of a [rows, d] block, best first ([d x d], column i = vector i), and singular values. */
export function rightVectors(blocks: readonly Float32Array[], d: number): { vectors: Float64Array; values: Float64Array } {
	const gram = new Float64Array(d * d);
	for (const block of blocks) {
		for (let at = 0; at < block.length; at += d) {
			for (let a = 0; a < d; a++) {
				const x = block[at + a];
				for (let b = a; b < d; b++) gram[a * d + b] += x * block[at + b];
			}
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

export default defineMethod({
	id: 'svd-truncation',
	title: 'SVD truncation',
	subtitle: 'the best plane of a prompt, and coordinates on it',
	family: 'low-rank',
	paper: 'Textbook (Eckart and Young, 1936); the yardstick of every low-rank method',
	confidence: 'Textbook.',
	ours: 'With scope "layer" the heads share one basis, which is stored once; each keeps its own coordinates.',
	idea: 'A matrix of many keys of d numbers often lies near a plane of fewer dimensions. Store the plane once and r coordinates a token. Before the rotary embedding, keys lie in a much flatter plane than after it, since rotation smears it over the positions; values are the least flat.',
	acts: 'After the prompt, which gives the basis; each new token is written in the same basis.',
	formula: String.raw`X=U\Sigma V^\top,\qquad C=XV_r,\qquad \hat X=CV_r^\top`,
	bytes: 'r numbers a token and side, and d r numbers of basis a head and side (a layer and side with scope "layer").',
	sources: ['https://arxiv.org/abs/2512.05916', 'https://arxiv.org/abs/2407.21118', 'https://arxiv.org/abs/2408.05646'],
	params: {
		rankK: { kind: 'int', default: 16, min: 1, max: 512, about: 'Coordinates kept of a key; as many as it has channels leaves keys as they are.' },
		rankV: { kind: 'int', default: 24, min: 1, max: 512, about: 'Coordinates kept of a value; as many as it has channels leaves values as they are.' },
		energy: { kind: 'number', default: 0, min: 0, max: 1, step: 0.01, about: 'If above 0: each head takes the least rank with this share of the energy, instead of the ranks above.' },
		place: { kind: 'choice', default: 'before', options: ['before', 'after'], about: 'Keys before or after their rotary embedding.' },
		scope: { kind: 'choice', default: 'head', options: ['head', 'layer'], about: 'One basis a head, or one that the heads of a layer share.' },
		precision: { kind: 'choice', default: 16, options: [16, 32], about: 'Bits of a stored coordinate and of the basis.' }
	},
	needs: () => ({}),
	start(context, params) {
		const d = context.model.headDim;
		const place = params.place as Place;
		const energy = params.energy as number;
		const precision = params.precision as 16 | 32;
		/** Codec of each layer, side and head; null where nothing is projected. */
		const codecs = new Map<string, Codec | null>();

		const blockOf = (layer: LayerCache, head: number, which: Which, rope: Rope): Float32Array => {
			const slots = exactSlots(layer, head, which);
			const rows = rowsOf(which === 'K' ? layer.keys(head) : layer.values(head), slots, d);
			if (which === 'V' || place === 'after') return rows;
			const angles = layer.rotaryPositions(head);
			return rope.rotate(rows, Array.from(slots, (slot) => -angles[slot]), d);
		};
		const codecFor = (blocks: Float32Array[], which: Which): Codec | null => {
			const rows = blocks.reduce((sum, block) => sum + block.length / d, 0);
			const { vectors, values } = rightVectors(blocks, d);
			const wanted = energy > 0 ? Math.max(1, rankForEnergy(values, energy)) : (params[`rank${which}`] as number);
			const rank = Math.min(wanted, rows);
			if (rank < 1 || wanted >= d) return null;
			return lowRankCodec({ basis: firstColumns(vectors, d, rank), columns: d, rank, precision });
		};
		const encode = (layer: LayerCache, head: number, which: Which) => {
			const codec = codecs.get(`${layer.layer}/${which}/${head}`);
			const slots = exactSlots(layer, head, which);
			if (!codec || slots.length === 0) return;
			if (which === 'K' && place === 'before') layer.encodeBeforeRope(head, slots, codec);
			else layer.encode(head, which, slots, codec);
		};
		return {
			prefilled(layer, seen) {
				for (const which of ['K', 'V'] as const) {
					const blocks = headsOf(layer).map((head) => blockOf(layer, head, which, seen.rope));
					const shared = params.scope === 'layer' ? codecFor(blocks, which) : null;
					for (const head of headsOf(layer)) {
						const codec = params.scope === 'layer' ? shared : codecFor([blocks[head]], which);
						codecs.set(`${layer.layer}/${which}/${head}`, codec);
						encode(layer, head, which);
					}
				}
			},
			appended(layer) {
				for (const head of headsOf(layer)) {
					encode(layer, head, 'K');
					encode(layer, head, 'V');
				}
			}
		};
	}
});
