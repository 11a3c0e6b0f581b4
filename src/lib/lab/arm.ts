/** One arm at work: its cache and the methods of its stack, which act layer by layer. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import type { Attending, Captured } from '$lib/cache/device/index.ts';
import { PROMPT_STEP, type ModelShape } from '$lib/documents/trace.ts';
import type { MethodInstance, Needs } from '$lib/methods/define.ts';
import { methods } from '$lib/methods/registry.ts';
import { startMethod } from '$lib/methods/start.ts';
import { random } from '$lib/numerics/random.ts';
import type { Rotation } from '$lib/numerics/rope.ts';
import type { ArmPlan } from './plan.ts';
import type { Readings } from './readings.ts';
import { promptView, stepView } from './views.ts';

interface Acting {
	id: string;
	/** May act again on what it has already chosen from. */
	scorer: boolean;
	instance: MethodInstance;
}

export class Arm {
	readonly needs: Needs;
	readonly #stack: Acting[];

	/** Throws DocumentError below `path` for what only a start can find out, e.g. a budget that is too small. */
	constructor(plan: ArmPlan, readonly model: ModelShape, readonly rope: Rotation, promptTokens: number, seed: number, path: string) {
		this.needs = plan.needs;
		this.#stack = plan.stack.map((spec, j) => ({
			id: spec.method,
			scorer: methods.get(spec.method)?.scorer ?? false,
			// Arms with the same stack draw the same numbers.
			instance: startMethod(spec, { model, random: random(seed).fork(`method ${j}`), promptTokens }, `${path}.stack[${j}]`)
		}));
	}

	/** True when a method wants to choose before each read. */
	get attends(): boolean {
		return this.#stack.some(({ instance }) => instance.attending);
	}

	/** The whole prompt has been read. */
	prefilled(cache: ArmCache, captured: Captured): void {
		this.#eachLayer(cache, captured, (method, layer, seen) => method.instance.prefilled?.(layer, seen));
	}

	/**
	 * A block of a prompt that is read in blocks, not the last. Methods that only choose which slots
	 * stay can choose again, so they do; the others wait for the end unless they say otherwise.
	 */
	blockEnded(cache: ArmCache, captured: Captured): void {
		this.#eachLayer(cache, captured, ({ instance, scorer }, layer, seen) => {
			if (instance.blockEnded) instance.blockEnded(layer, seen);
			else if (scorer) instance.prefilled?.(layer, seen);
		});
	}

	/** A step's token has been appended. */
	appended(cache: ArmCache, readings: Readings, step: number, position: number): void {
		for (const layer of cache.layers) {
			const seen = stepView(readings, layer.layer, { step, position }, this.model, this.rope);
			for (const { id, instance } of this.#stack) {
				if (!instance.appended) continue;
				cache.begin(step, id);
				instance.appended(layer, seen);
			}
		}
	}

	/** What to call before each layer of a step is read; undefined when no method cares. */
	attending(cache: ArmCache, step: number, position: number): Attending | undefined {
		if (!this.attends) return undefined;
		return (layer, query) => {
			for (const { id, instance } of this.#stack) {
				if (!instance.attending) continue;
				cache.begin(step, id);
				instance.attending(layer, { step, position, model: this.model, query });
			}
		};
	}

	#eachLayer(cache: ArmCache, captured: Captured, act: (method: Acting, layer: ArmCache['layers'][number], seen: ReturnType<typeof promptView>) => void): void {
		for (const layer of cache.layers) {
			const seen = promptView(captured, layer.layer, this.needs, this.model, this.rope);
			for (const method of this.#stack) {
				cache.begin(PROMPT_STEP, method.id);
				act(method, layer, seen);
			}
		}
	}
}
