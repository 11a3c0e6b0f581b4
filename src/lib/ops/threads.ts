/** Threads for WebAssembly. TensorFlow.js itself takes half of the cores, which is one of two. */
const MOST = 8;

/**
 * A thread a core up to four; of more cores half, for they are then often two to a core, which gives
 * products nothing; eight at most, since one token's work is too small to be divided further.
 */
export function threadsFor(cores: number): number {
	return Math.max(1, Math.min(MOST, cores <= 4 ? cores : Math.max(4, Math.ceil(cores / 2))));
}
