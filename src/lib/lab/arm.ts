/** One arm at work: its cache and the methods of its stack, which act layer by layer. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import type { Attending, Captured } from '$lib/cache/device/index.ts';
import { PROMPT_STEP, type ModelShape } from '$lib/documents/trace.ts';
import type { MethodInstance, Needs, PromptView } from '$lib/methods/define.ts';
import { methods } from '$lib/methods/registry.ts';
import { Requests, type MadeReadings, type PromptText } from '$lib/methods/requests.ts';
import { startMethod } from '$lib/methods/start.ts';
import { random } from '$lib/numerics/random.ts';
import type { Rotation } from '$lib/numerics/rope.ts';
import { Hand } from './hand.ts';
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
	/** What its methods asked for beside `needs`; has to be supplied before they act. */
	readonly requests = new Requests();
	readonly #stack: Acting[];
	readonly #hand: Hand;

	/** Throws DocumentError below `path` for what only a start can find out, e.g. a budget that is too small. */
	constructor(plan: ArmPlan, readonly model: ModelShape, readonly rope: Rotation, text: PromptText, seed: number, path: string) {
		const promptTokens = text.ids.length;
		this.needs = plan.needs;
		this.#hand = new Hand(plan.edits ?? [], `${path}.edits`);
		this.#stack = plan.stack.map((spec, j) => ({
			id: spec.method,
			scorer: methods.get(spec.method)?.scorer ?? false,
			// Arms with the same stack draw the same numbers.
			instance: startMethod(spec, { model, random: random(seed).fork(`method ${j}`), promptTokens, text, requests: this.requests, after: plan.stack.slice(j + 1) }, `${path}.stack[${j}]`)
		}));
	}

	/** True when a method wants to choose before each read. */
	get attends(): boolean {
		return this.#stack.some(({ instance }) => instance.attending);
	}

	/** False when all its methods have done what they do once the prompt is read: any fork of its cache may go on with it. */
	get actsWhileWriting(): boolean {
		return this.#stack.some(({ instance }) => instance.appended || instance.attending);
	}

	/** The whole prompt has been read. */
	prefilled(cache: ArmCache, captured: Captured, readings: MadeReadings = NO_READINGS): void {
		const seen = this.#views(cache, captured, readings);
		this.#hand.act(cache, PROMPT_STEP);
		for (const { id, instance } of this.#stack) {
			cache.begin(PROMPT_STEP, id);
			actOn(cache, seen, instance);
		}
	}

	/**
	 * A block of a prompt that is read in blocks, not the last. Methods that only choose which slots
	 * stay can choose again, so they do; the others wait for the end unless they say otherwise.
	 */
	blockEnded(cache: ArmCache, captured: Captured, readings: MadeReadings = NO_READINGS): void {
		const seen = this.#views(cache, captured, readings);
		this.#hand.act(cache, PROMPT_STEP, { partly: true });
		for (const { id, instance, scorer } of this.#stack) {
			cache.begin(PROMPT_STEP, id);
			if (instance.blockEnded) cache.layers.forEach((layer, l) => instance.blockEnded!(layer, seen[l]));
			else if (scorer) actOn(cache, seen, instance);
		}
	}

	/** Before a step is read. `full`: the full cache fed this arm's tokens, from which a hand restores. */
	stepBegins(cache: ArmCache, step: number, full: ArmCache): void {
		this.#hand.act(cache, step, { full });
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

	#views(cache: ArmCache, captured: Captured, readings: MadeReadings): PromptView[] {
		return cache.layers.map(({ layer }) => promptView(captured, layer, this.needs, this.model, this.rope, readings[layer] ?? new Map()));
	}
}

const NO_READINGS: MadeReadings = [];

function actOn(cache: ArmCache, seen: PromptView[], instance: MethodInstance): void {
	if (instance.prefilledAll) instance.prefilledAll(cache.layers, seen);
	else cache.layers.forEach((layer, l) => instance.prefilled?.(layer, seen[l]));
}
