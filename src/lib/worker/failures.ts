/** What goes wrong in a thread, in words for the reader. Errors cross threads with name and message only. */

/**
 * `document`: the experiment is wrong, its place comes first. `memory`: this machine has not enough.
 * `device`, `crash`, `silent`: the thread can no longer be used.
 */
export type FailureKind = 'document' | 'memory' | 'crash' | 'silent' | 'device' | 'other';

export class LabError extends Error {
	override name = 'LabError';
	readonly kind: FailureKind;
	constructor(kind: FailureKind, message: string, cause?: unknown) {
		super(message, { cause });
		this.kind = kind;
	}
}

/** Any error as a LabError or an AbortError. */
export function inWords(error: unknown): Error {
	if (error instanceof LabError) return error;
	const { name, message } = error instanceof Error ? error : new Error(String((error as { message?: unknown } | null)?.message ?? error));
	// Reading back from a lost device ends with an AbortError, too; ours has words of its own.
	if (isLostDevice(message)) return new LabError('device', `The graphics device was lost (${message.replace(/\.$/, '')}).`, error);
	if (name === 'AbortError') return new DOMException(message, 'AbortError');
	if (name === 'DocumentError') return new LabError('document', message, error);
	if (isOutOfMemory(message)) return new LabError('memory', `This machine has not enough memory (${message.replace(/\.$/, '')}).`, error);
	return new LabError('other', message, error);
}

/**
 * What engines say when memory runs out: WebGPU (Dawn, wgpu), typed arrays in V8, SpiderMonkey and
 * JavaScriptCore, and WebAssembly that cannot grow.
 */
const OUT_OF_MEMORY = [
	/out of memory/i, /allocation failed/i, /allocation size overflow/i, /invalid (typed array|array ?buffer) length/i,
	/cannot enlarge memory/i, /\bOOM\b/, /failed to allocate/i, /GPUOutOfMemoryError/, /could not allocate/i,
	/exceeds the max(imum)? buffer size/i, /larger than the maximum (storage )?buffer (binding )?size/i, /is larger than the max(imum)? (storage )?(buffer )?binding size/i
];

function isLostDevice(message: string): boolean {
	return /device (is |was )?(lost|destroyed)|\bDevice\b.* is lost|external Instance reference no longer exists|GPU connection lost/i.test(message);
}

export function isOutOfMemory(message: string): boolean {
	return OUT_OF_MEMORY.some((pattern) => pattern.test(message));
}
