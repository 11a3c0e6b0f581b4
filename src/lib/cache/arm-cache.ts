/**
 * The cache of one arm, all layers: the truth on the CPU. Made from a prefilled prompt, forked for
 * every arm (the prompt's numbers are shared), grown by one token a step.
 */
import type { Bill, ModelShape, VerbRecord } from '$lib/documents/trace.ts';
import type { Rotation } from '$lib/numerics/rope.ts';
import { billOf } from './bill.ts';
import { HeadStore } from './head-store.ts';
import { LayerStore } from './layer-cache.ts';
import { packLayers, type LabelledPart } from './pack.ts';
import { Recorder } from './recorder.ts';
import { forkSharing } from './sharing.ts';
import type { ArmCache as ArmCacheSeam } from './types.ts';

export interface PromptNumbers {
	shape: ModelShape;
	/** Prompt tokens. */
	n: number;
	/** Rotated keys of a layer, [kvHeads, n, headDim]. Kept, never written. */
	keys(layer: number): Float32Array;
	/** Values of a layer, [kvHeads, n, headDim]. Kept, never written. */
	values(layer: number): Float32Array;
	rope: Rotation;
}

export class ArmCache implements ArmCacheSeam {
	private constructor(
		readonly shape: ModelShape,
		readonly rope: Rotation,
		readonly layers: LayerStore[],
		private readonly recorder: Recorder
	) {}

	/** The full cache of a prompt. Throws RangeError when the numbers do not fit the shape. */
	static fromPrompt({ shape, n, keys, values, rope }: PromptNumbers): ArmCache {
		const { kvHeads, headDim } = shape;
		const recorder = new Recorder();
		recorder.tokens = n;
		const layers = Array.from({ length: shape.layers }, (_, layer) => {
			const [k, v] = [keys(layer), values(layer)];
			const wanted = kvHeads * n * headDim;
			if (k.length !== wanted || v.length !== wanted) {
				throw new RangeError(`layer ${layer}: ${n} tokens of ${kvHeads} heads x ${headDim} are ${wanted} numbers, not ${k.length} and ${v.length}`);
			}
			const heads = Array.from({ length: kvHeads }, (_, head) => {
				const [from, to] = [head * n * headDim, (head + 1) * n * headDim];
				return HeadStore.ofPrompt(k.subarray(from, to), v.subarray(from, to), headDim, rope);
			});
			return new LayerStore(layer, headDim, heads, recorder);
		});
		return new ArmCache(shape, rope, layers, recorder);
	}

	/** An independent copy; records start empty. Layers that share with each other do so in the copy, too. */
	fork(): ArmCache {
		const recorder = this.recorder.fork();
		const layers = this.layers.map((layer) => layer.fork(recorder));
		forkSharing(this.layers.flatMap(({ heads }) => heads), layers.flatMap(({ heads }) => heads));
		return new ArmCache(this.shape, this.rope, layers, recorder);
	}

	/** Tokens read so far; the next logical position. */
	get tokens(): number {
		return this.recorder.tokens;
	}

	/** From now on verbs are recorded as this method's, at this step. */
	begin(step: number, by: string): void {
		this.recorder.step = step;
		this.recorder.by = by;
	}

	/** Verbs recorded so far; stays the same array until `takeRecords`. */
	get records(): readonly VerbRecord[] {
		return this.recorder.records;
	}

	/** Verbs recorded since the last call. */
	takeRecords(): VerbRecord[] {
		const taken = this.recorder.records;
		this.recorder.records = [];
		return taken;
	}

	/** True once the arm has encoded something, or said that it will. */
	get encodes(): boolean {
		return this.recorder.encodes;
	}

	/**
	 * Adds one token's key and value of one head, exact, at the end. `position` is logical; `angle`
	 * is where the key stands. `place` >= 0 when the device's working copy holds them already.
	 */
	append(layer: number, head: number, key: Float32Array, value: Float32Array, position: number, angle = position, place = -1): void {
		const store = this.layers[layer].heads[head];
		const last = store.length > 0 ? store.slots.columns.position[store.length - 1] : -1;
		if (position <= last) throw new RangeError(`layer ${layer}, head ${head}: position ${position} does not come after ${last}`);
		store.append(key, value, position, angle, 0, place);
		this.recorder.tokens = Math.max(this.recorder.tokens, position + 1);
	}

	nextPosition(): number {
		if (!this.layers.some((layer) => layer.rotated)) return this.recorder.tokens;
		let next = 0;
		for (const layer of this.layers) {
			for (const { length, slots } of layer.heads) {
				if (length > 0) next = Math.max(next, slots.columns.angle[length - 1] + 1);
			}
		}
		return next;
	}

	bill(): Bill {
		return billOf(this);
	}

	pack(): LabelledPart[] {
		return packLayers(this);
	}
}
