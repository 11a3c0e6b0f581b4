/**
 * How an op of ours is registered: one name, a WGSL kernel for `webgpu`, and a composition of
 * stock ops for `wasm` and `cpu` which is also the oracle in its test.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

export type Inputs = Record<string, tf.Tensor>;
export type Attrs = Record<string, unknown>;

export interface Op {
	name: string;
	webgpu(backend: WebGPUBackend, inputs: Inputs, attrs: Attrs): tf.TensorInfo | tf.TensorInfo[];
	/** Runs inside a tidy; what it returns survives. */
	stock(inputs: Inputs, attrs: Attrs): tf.Tensor | tf.Tensor[];
}

/** Registers `op` for the three backends; a second registration replaces the first. */
export function registerOp(op: Op): void {
	const register = (backendName: string, kernelFunc: tf.KernelFunc) => {
		if (tf.getKernel(op.name, backendName)) tf.unregisterKernel(op.name, backendName);
		tf.registerKernel({ kernelName: op.name, backendName, kernelFunc });
	};
	register('webgpu', ({ inputs, backend, attrs }) =>
		op.webgpu(backend as WebGPUBackend, inputs as Inputs, attrs as Attrs));
	const stock: tf.KernelFunc = ({ inputs, attrs }) =>
		tf.tidy(() => op.stock(inputs as Inputs, attrs as Attrs));
	register('wasm', stock);
	register('cpu', stock);
}

/**
 * Runs an op on the backend that is set. The engine's own way of running a kernel also does what training and
 * profiling need, and takes longer for that than recording a dispatch does; so it is gone only while somebody profiles.
 */
export function runOp<T extends tf.Tensor | tf.Tensor[]>(name: string, inputs: Inputs, attrs: Attrs = {}): T {
	const engine = tf.engine();
	if (engine.state.profiling) return engine.runKernel(name, inputs, attrs as never) as T;
	const kernel = tf.getKernel(name, engine.backendName);
	if (!kernel) throw new Error(`There is no ${name} for the backend ${engine.backendName}.`);
	const made = kernel.kernelFunc({ inputs, attrs: attrs as never, backend: engine.backend });
	const tensorOf = (info: tf.TensorInfo) => (info instanceof tf.Tensor ? info : engine.makeTensorFromTensorInfo(info));
	return (Array.isArray(made) ? made.map(tensorOf) : tensorOf(made)) as T;
}
