/** How far a value moves the layer's output: its length after the output projection of one query head. */

/**
 * ||W v||_2 of each row of `values` [rows, d], W being the columns of `output` [hidden, heads x d]
 * that belong to `queryHead`. By way of W^T W, so that a long text costs d x d a value, not hidden x d.
 */
export function projectedLengths(output: Float32Array, queryHead: number, heads: number, values: ArrayLike<number>, d: number): Float64Array {
	const width = heads * d;
	const gram = new Float64Array(d * d);
	for (let from = queryHead * d; from < output.length; from += width) {
		for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) gram[i * d + j] += output[from + i] * output[from + j];
	}
	return Float64Array.from({ length: values.length / d }, (_, row) => {
		let square = 0;
		for (let i = 0; i < d; i++) {
			let dot = 0;
			for (let j = 0; j < d; j++) dot += gram[i * d + j] * values[row * d + j];
			square += dot * values[row * d + i];
		}
		return Math.sqrt(Math.max(0, square));
	});
}
