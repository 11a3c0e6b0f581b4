/** Tensors of a safetensors file that holds float32 alone, as the bench writes it. */
export interface SafetensorsLayout {
	/** Where the numbers begin, bytes. */
	start: number;
	tensors: Record<string, { shape: number[]; data_offsets: [number, number] }>;
}

export function layoutOf(file: Uint8Array): SafetensorsLayout {
	const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
	return { start: 8 + length, tensors: JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) };
}

/** A copy, row-major. Throws when there is no such tensor. */
export function numbersOf(file: Uint8Array, { start, tensors }: SafetensorsLayout, name: string): Float32Array {
	const entry = tensors[name];
	if (!entry) throw new Error(`The bench's own model has no tensor ${name}.`);
	const [from, to] = entry.data_offsets;
	return new Float32Array(file.slice(start + from, start + to).buffer);
}
