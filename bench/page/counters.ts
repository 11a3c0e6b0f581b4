/**
 * Counts what any library asks of WebGPU in this worker: dispatches, submissions, bytes mapped for
 * reading. The methods are wrapped only while something is counted, so that times stay untouched.
 */
export interface Counts {
	dispatches: number;
	submits: number;
	bytesRead: number;
	/** Bytes written from JavaScript: queue.writeBuffer and buffers mapped for writing. */
	bytesWritten: number;
	pipelines: number;
	buffers: number;
}

export async function counted(run: () => Promise<unknown>): Promise<Counts | null> {
	if (typeof GPUDevice === 'undefined') return null;
	const counts: Counts = { dispatches: 0, submits: 0, bytesRead: 0, bytesWritten: 0, pipelines: 0, buffers: 0 };
	const undo: (() => void)[] = [];
	const wrap = <T extends object>(...args: Parameters<typeof watch<T>>) => undo.push(watch(...args));
	wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => counts.dispatches++);
	wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', () => counts.dispatches++);
	wrap(GPUQueue.prototype, 'submit', () => counts.submits++);
	wrap(GPUQueue.prototype, 'writeBuffer', (_self, [, , data, , size]: [unknown, unknown, ArrayBufferView, unknown, number?]) =>
		(counts.bytesWritten += size ?? data.byteLength));
	wrap(GPUDevice.prototype, 'createBuffer', (_self, [{ mappedAtCreation, size }]: [GPUBufferDescriptor]) => {
		counts.buffers++;
		if (mappedAtCreation) counts.bytesWritten += size;
	});
	wrap(GPUDevice.prototype, 'createComputePipeline', () => counts.pipelines++);
	wrap(GPUDevice.prototype, 'createComputePipelineAsync', () => counts.pipelines++);
	wrap(GPUBuffer.prototype, 'mapAsync', (self: GPUBuffer, [mode, offset, size]: [number, number?, number?]) => {
		if (mode === GPUMapMode.READ) counts.bytesRead += size ?? self.size - (offset ?? 0);
	});
	try {
		await run();
	} finally {
		for (const each of undo) each();
	}
	return counts;
}

/** Calls `before` at every call of a method from now on, with `this` and the arguments; gives back how to stop that. */
export function watch<T extends object>(prototype: T, name: keyof T & string, before: (self: any, args: any) => void): () => void { // eslint-disable-line @typescript-eslint/no-explicit-any
	const methods = prototype as Record<string, unknown>;
	const original = methods[name] as (...args: unknown[]) => unknown;
	methods[name] = function (this: unknown, ...args: unknown[]) {
		before(this, args);
		return original.apply(this, args);
	};
	return () => (methods[name] = original);
}
