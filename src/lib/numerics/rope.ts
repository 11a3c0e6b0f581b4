/**
 * Rotary position: channel i turns with channel i + d/2 by angle x invFreq[i] (the rotate-half
 * form of Llama). Turning by a negative angle undoes it.
 */
export interface Rotation {
	readonly invFreq: Float64Array;
	/** Rotates [rows, headDim] by each row's angle (any sign), float64 inside, returns a new array. */
	rotate(rows: Float32Array, positions: ArrayLike<number>, headDim: number): Float32Array;
}

/** theta^(-2i/d), i < d/2; zeros for a theta of 0, with which nothing turns. */
export function inverseFrequencies(headDim: number, theta: number): Float64Array {
	if (theta === 0) return new Float64Array(headDim / 2);
	return Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
}

export function rotation(invFreq: Float64Array): Rotation {
	const half = invFreq.length;
	const cos = new Float64Array(half);
	const sin = new Float64Array(half);
	return {
		invFreq,
		rotate(rows, positions, headDim) {
			if (headDim !== 2 * half) throw new RangeError(`${2 * half} channels turn, not ${headDim}`);
			if (rows.length !== positions.length * headDim) {
				throw new RangeError(`${positions.length} angles do not fit ${rows.length / headDim} rows`);
			}
			const out = new Float32Array(rows.length);
			let angle = NaN;
			for (let r = 0; r < positions.length; r++) {
				if (positions[r] !== angle) {
					angle = positions[r];
					for (let i = 0; i < half; i++) {
						cos[i] = Math.cos(angle * invFreq[i]);
						sin[i] = Math.sin(angle * invFreq[i]);
					}
				}
				const at = r * headDim;
				for (let i = 0; i < half; i++) {
					const x = rows[at + i];
					const y = rows[at + half + i];
					out[at + i] = x * cos[i] - y * sin[i];
					out[at + half + i] = y * cos[i] + x * sin[i];
				}
			}
			return out;
		}
	};
}
