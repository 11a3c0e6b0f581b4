/**
 * Our own WebAssembly beside TensorFlow.js's: small modules that are written instruction by instruction,
 * for one shape each (as our WGSL is), and run in the backend's memory, on its tensors where they lie.
 */
import * as tf from '@tensorflow/tfjs-core';
import { importMemory, Module, type func } from 'wasmati';

type Func = ReturnType<typeof func>;
type Run = (...numbers: number[]) => void;

/** What the backend's Emscripten module shows: the threaded build its memory, the other build its exports. */
interface Emscripten {
	wasmMemory?: WebAssembly.Memory;
	asm?: { memory?: WebAssembly.Memory };
}

const built = new WeakMap<WebAssembly.Memory, Map<string, Record<string, Run> | null>>();

/**
 * The functions that `write` makes, in the memory of the backend; made once a `name`. Null where the
 * backend is not wasm or the machine has no SIMD: use a loop then.
 */
export function ownWasm<Name extends string>(name: string, write: () => Record<Name, Func>): Record<Name, Run> | null {
	if (tf.getBackend() !== 'wasm') return null;
	const memory = backendMemory();
	if (!memory) return null;
	const modules = built.get(memory) ?? new Map<string, Record<string, Run> | null>();
	built.set(memory, modules);
	if (!modules.has(name)) modules.set(name, instantiate(memory, write()));
	return modules.get(name) as Record<Name, Run> | null;
}

/** Where a tensor's numbers begin in the backend's memory, in bytes. They do not move. */
export function address(tensor: tf.TensorInfo): number {
	const backend = tf.backend() as unknown as { dataIdMap: { get(id: object): { memoryOffset: number | null } } };
	const { memoryOffset } = backend.dataIdMap.get(tensor.dataId);
	if (memoryOffset === null) throw new Error('a tensor of strings has no place in the memory of the wasm backend');
	return memoryOffset;
}

function backendMemory(): WebAssembly.Memory | undefined {
	const { wasmMemory, asm } = (tf.backend() as unknown as { wasm: Emscripten }).wasm;
	return wasmMemory ?? asm?.memory;
}

function instantiate(memory: WebAssembly.Memory, functions: Record<string, Func>): Record<string, Run> | null {
	const shared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
	const declared = importMemory({ min: 0, ...(shared ? { max: 65536, shared } : {}) }, memory);
	const module = Module({ exports: functions, memory: declared });
	try {
		// At once, without a promise: a module is a few hundred bytes.
		const compiled = new WebAssembly.Module(module.toBytes() as Uint8Array<ArrayBuffer>);
		return new WebAssembly.Instance(compiled, module.importMap).exports as Record<string, Run>;
	} catch (error) {
		if (error instanceof WebAssembly.CompileError) return null;
		throw error;
	}
}
