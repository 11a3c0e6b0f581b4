/**
 * TensorFlow.js gives WASM at most half of the cores that the browser names, whatever it is asked for.
 * To have as many threads as the others, it is told of twice as many cores. Says how many it has.
 */
export async function withThreads<T>(threads: number, open: () => Promise<T>): Promise<T & { threads: number }> {
	Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2 * threads, configurable: true });
	const { getThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
	const opened = await open();
	return { ...opened, threads: getThreadsCount() };
}
