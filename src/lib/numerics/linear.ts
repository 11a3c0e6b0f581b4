/** Small dense linear algebra on row-major arrays, float64 inside. */
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';

export interface ThinSvd {
	/** min(rows, columns). */
	rank: number;
	/** [rank], descending. */
	values: Float64Array;
	/** [rows x rank], row-major. */
	left: Float64Array;
	/** [columns x rank], row-major: column i is the i-th right singular vector. */
	right: Float64Array;
}

function matrix(x: ArrayLike<number>, rows: number, columns: number): Matrix {
	if (x.length !== rows * columns) {
		throw new RangeError(`${x.length} numbers are not a ${rows} x ${columns} matrix`);
	}
	const m = new Matrix(rows, columns);
	for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) m.set(r, c, x[r * columns + c]);
	return m;
}

/** First `columns` columns of `m`, in `order`, row-major. */
function flatten(m: Matrix, order: number[]): Float64Array {
	const flat = new Float64Array(m.rows * order.length);
	for (let r = 0; r < m.rows; r++) {
		for (let c = 0; c < order.length; c++) flat[r * order.length + c] = m.get(r, order[c]);
	}
	return flat;
}

/** Thin singular value decomposition: x = left diag(values) right^T. */
export function svd(x: ArrayLike<number>, rows: number, columns: number): ThinSvd {
	const rank = Math.min(rows, columns);
	if (rank === 0) {
		return { rank, values: new Float64Array(0), left: new Float64Array(0), right: new Float64Array(0) };
	}
	const found = new SingularValueDecomposition(matrix(x, rows, columns), { autoTranspose: true });
	const order = found.diagonal.map((_, i) => i).sort((a, b) => found.diagonal[b] - found.diagonal[a] || a - b).slice(0, rank);
	return {
		rank,
		values: Float64Array.from(order, (i) => found.diagonal[i]),
		left: flatten(found.leftSingularVectors, order),
		right: flatten(found.rightSingularVectors, order)
	};
}

/** Singular values, descending. */
export function singularValues(x: ArrayLike<number>, rows: number, columns: number): Float64Array {
	if (Math.min(rows, columns) === 0) return new Float64Array(0);
	const found = new SingularValueDecomposition(matrix(x, rows, columns), {
		autoTranspose: true, computeLeftSingularVectors: false, computeRightSingularVectors: false
	});
	return Float64Array.from(found.diagonal).sort().reverse().slice(0, Math.min(rows, columns));
}

/** Eigenvalues (descending) and vectors ([n x n], column i = i-th vector) of a symmetric matrix. */
export function symmetricEigen(x: ArrayLike<number>, n: number): { values: Float64Array; vectors: Float64Array } {
	const found = new EigenvalueDecomposition(matrix(x, n, n), { assumeSymmetric: true });
	const order = found.realEigenvalues.map((_, i) => i).sort((a, b) => found.realEigenvalues[b] - found.realEigenvalues[a]);
	return {
		values: Float64Array.from(order, (i) => found.realEigenvalues[i]),
		vectors: flatten(found.eigenvectorMatrix, order)
	};
}

/** Smallest r with sum of the first r squared values >= share of all (0 for nothing). */
export function rankForEnergy(values: ArrayLike<number>, share: number): number {
	let total = 0;
	for (let i = 0; i < values.length; i++) total += values[i] * values[i];
	let sum = 0;
	for (let i = 0; i < values.length; i++) {
		if (sum >= share * total) return i;
		sum += values[i] * values[i];
	}
	return total > 0 ? values.length : 0;
}

/** [rows x inner] times [inner x columns], float32 out, sums in float64. */
export function multiply(a: ArrayLike<number>, b: ArrayLike<number>, rows: number, inner: number, columns: number): Float32Array {
	const out = new Float32Array(rows * columns);
	const line = new Float64Array(columns);
	for (let r = 0; r < rows; r++) {
		line.fill(0);
		for (let i = 0; i < inner; i++) {
			const x = a[r * inner + i];
			for (let c = 0; c < columns; c++) line[c] += x * b[i * columns + c];
		}
		out.set(line, r * columns);
	}
	return out;
}
