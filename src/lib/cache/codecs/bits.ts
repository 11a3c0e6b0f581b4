/**
 * Codes of 1 to 8 bits as a bitstream, least significant bit first. Rows start on a byte, so that
 * a row can be dropped without touching its neighbours; the padding is counted like any byte.
 */

/** Bytes of one row of `columns` codes. */
export function bytesPerRow(columns: number, bits: number): number {
	return Math.ceil((columns * bits) / 8);
}

/** Packs [rows, columns] codes (each < 2^bits). */
export function packCodes(codes: ArrayLike<number>, rows: number, columns: number, bits: number): Uint8Array {
	const stride = bytesPerRow(columns, bits);
	const packed = new Uint8Array(rows * stride);
	for (let r = 0; r < rows; r++) {
		let held = 0;
		let heldBits = 0;
		let at = r * stride;
		for (let c = 0; c < columns; c++) {
			held |= codes[r * columns + c] << heldBits;
			heldBits += bits;
			while (heldBits >= 8) {
				packed[at++] = held & 255;
				held >>= 8;
				heldBits -= 8;
			}
		}
		if (heldBits > 0) packed[at] = held;
	}
	return packed;
}

/** The inverse of `packCodes`. */
export function unpackCodes(packed: Uint8Array, rows: number, columns: number, bits: number): Uint8Array {
	const stride = bytesPerRow(columns, bits);
	const codes = new Uint8Array(rows * columns);
	const mask = (1 << bits) - 1;
	for (let r = 0; r < rows; r++) {
		let held = 0;
		let heldBits = 0;
		let at = r * stride;
		for (let c = 0; c < columns; c++) {
			if (heldBits < bits) {
				held |= packed[at++] << heldBits;
				heldBits += 8;
			}
			codes[r * columns + c] = held & mask;
			held >>= bits;
			heldBits -= bits;
		}
	}
	return codes;
}

/** Rows of a packed array whose rows have `stride` elements. */
export function takeRows<A extends Uint8Array | Uint16Array | Float32Array>(array: A, stride: number, rows: ArrayLike<number>): A {
	const Kind = array.constructor as new (length: number) => A;
	const taken = new Kind(rows.length * stride);
	for (let i = 0; i < rows.length; i++) {
		taken.set(array.subarray(rows[i] * stride, (rows[i] + 1) * stride), i * stride);
	}
	return taken;
}
