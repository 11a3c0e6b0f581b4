/** Bytes between the processor and tensors; benches take differences. On wasm and cpu they only change place in memory. */
const bytes = { read: 0, written: 0 };

/** What was read back and written in place so far (not what new tensors are made with). */
export function traffic(): { read: number; written: number } {
	return { ...bytes };
}

export function count(which: keyof typeof bytes, more: number): void {
	bytes[which] += more;
}
