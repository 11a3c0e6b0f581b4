/** Keys or values of one head: exact, as the arm rebuilds them, and the groups in which they were encoded. */
import type { HeadStore } from '$lib/cache/head-store.ts';
import type { GroupBox, MatrixProbe, ProbeRequest } from '$lib/documents/trace.ts';
import type { ProbeSources } from './sources.ts';

export function matrixProbe(sources: ProbeSources, request: Extract<ProbeRequest, { kind: 'matrix' }>): MatrixProbe {
	const { arm, layer, head, which, rope } = request;
	const d = sources.model.headDim;
	const store = sources.arms[arm].layers[layer].heads[head];
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
	const { groups, codec } = groupsOf(store, which, rope);
	return {
		kind: 'matrix', which, rope, positions, channels: d, original, rebuilt, encoded, groups,
		relativeMse: relativeMse(original, rebuilt, encoded, d), ...(codec ? { codec } : {})
	};
}

/** Groups of all blocks as boxes over the rows of the picture, and the codec in words. */
function groupsOf(store: HeadStore, which: 'K' | 'V', rope: 'before' | 'after'): { groups: GroupBox[]; codec?: string } {
	const { columns, length } = store.slots;
	const inside = which === 'K' ? columns.inK : columns.inV;
	const blockOf = which === 'K' ? columns.blockK : columns.blockV;
	const groups: GroupBox[] = [];
	let words: string | undefined;
	for (const [id, block] of store.blocks) {
		if (block.which !== which) continue;
		words ??= block.beforeRope ? `${block.codec.title}, before rotation` : block.codec.title;
		const slotOfRow = new Map<number, number>();
		for (let slot = 0; slot < length; slot++) if (blockOf[slot] === id) slotOfRow.set(inside[slot], slot);
		// Levels belong to the numbers that were encoded, in their rotation.
		const sameDomain = which === 'V' || block.beforeRope === (rope === 'before');
		for (const { rowFrom, rowTo, columnFrom, columnTo, lo, step, bits } of block.codec.groups(block.payload)) {
			const slots: number[] = [];
			for (let row = rowFrom; row < rowTo; row++) if (slotOfRow.has(row)) slots.push(slotOfRow.get(row)!);
			if (slots.length === 0) continue;
			groups.push({
				tokenFrom: Math.min(...slots), tokenTo: Math.max(...slots) + 1, channelFrom: columnFrom, channelTo: columnTo, bits,
				...(sameDomain && lo !== undefined ? { lo, step } : {})
			});
		}
	}
	return { groups, ...(words ? { codec: words } : {}) };
}

/** sum (rebuilt - original)^2 / sum original^2 over the encoded rows; 0 without any. */
function relativeMse(original: Float32Array, rebuilt: Float32Array, encoded: Uint8Array, columns: number): number {
	let error = 0;
	let energy = 0;
	for (let i = 0; i < original.length; i++) {
		if (!encoded[Math.floor(i / columns)]) continue;
		error += (rebuilt[i] - original[i]) ** 2;
		energy += original[i] ** 2;
	}
	return energy > 0 ? error / energy : 0;
}
