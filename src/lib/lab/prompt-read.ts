/** A prompt that is read once, from which any number of arms start, one after another. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import type { Captured } from '$lib/cache/device/index.ts';
import type { Needs } from '$lib/methods/define.ts';
import { makeReadings } from '$lib/methods/make-readings.ts';
import type { CompleteSpec } from '$lib/methods/params.ts';
import { Requests, type MadeReadings, type PromptText, type Reading, type ReadingView } from '$lib/methods/requests.ts';
import { joinNeeds, needsOf } from '$lib/methods/start.ts';
import { rotation, type Rotation } from '$lib/numerics/rope.ts';
import { Arm } from './arm.ts';
import type { Lab } from './lab.ts';
import type { Plan } from './plan.ts';
import { cacheOf, readAtOnce, readInBlocks } from './prefill.ts';
import { checkReadings, futureOf } from './second-readings.ts';
import { supply } from './supplies.ts';

export interface StartedArm {
	arm: Arm;
	/** After the arm's methods have acted on the prompt. */
	cache: ArmCache;
}

/** What a whole stack asks of the forward pass. */
export const needsOfStack = (stack: readonly CompleteSpec[]): Needs => joinNeeds(stack.map(needsOf));

export class PromptRead {
	/** What readings of the future see: tokens that the full cache writes next. Null: found out when one is asked for. */
	future: readonly number[] | null = null;
	/** By layer, by key: readings that some arm has asked for, over the full cache. */
	readonly #made: Map<string, ReadingView>[];

	private constructor(readonly lab: Lab, readonly plan: Plan, readonly text: PromptText, readonly rope: Rotation, readonly captured: Captured, readonly prompt: ArmCache) {
		this.#made = prompt.layers.map(() => new Map());
	}

	/** `needs`: what all arms to come ask for together. */
	static async read(lab: Lab, plan: Plan, needs: Needs): Promise<PromptRead> {
		const { decoder, tokenizer } = lab.loaded;
		const { ids } = plan.prompt;
		const rope = rotation(decoder.invFreq);
		const text: PromptText = { ids, encode: (words) => Array.from(tokenizer.encode(words, { bare: true })), embedding: (id) => decoder.embedding(id) };
		const captured = await readAtOnce(decoder, Int32Array.from(ids), needs);
		return new PromptRead(lab, plan, text, rope, captured, cacheOf(captured, rope));
	}

	/** An arm with its compressed cache. `index` is its place in the document. Throws DocumentError for what cannot be run. */
	async start(stack: CompleteSpec[], index: number): Promise<StartedArm> {
		const { lab, plan, text, rope } = this;
		const { seed } = plan.experiment.generate;
		const arm = new Arm({ label: '', stack, needs: needsOfStack(stack), edits: plan.arms[index]?.edits }, lab.model, rope, text, seed, `arms[${index}]`);
		const { requests } = arm;
		checkReadings([...Array.from({ length: index }, () => new Requests()), requests], text.ids.length, lab.model);
		await supply(lab.loaded.decoder, lab.model.name, lab.json, [requests]);
		if (plan.experiment.prefill.block !== null) return { arm, cache: await this.#inBlocks(arm, plan.experiment.prefill.block) };
		const readings = await this.#readings(requests.readings);
		const cache = this.prompt.fork();
		arm.prefilled(cache, this.captured, readings);
		return { arm, cache };
	}

	/** The full cache, as an arm without methods. */
	reference(): StartedArm {
		const { lab, plan, text, rope } = this;
		return { arm: new Arm({ label: '', stack: [], needs: {} }, lab.model, rope, text, plan.experiment.generate.seed, 'reference'), cache: this.prompt.fork() };
	}

	/** Each reading is made once for all arms. */
	async #readings(wanted: ReadonlyMap<string, Reading>): Promise<MadeReadings> {
		const missing = new Map([...wanted].filter(([key]) => !this.#made[0].has(key)));
		const made = await makeReadings(this.lab.loaded.decoder, this.prompt, missing, await this.#futureFor(missing));
		made.forEach((views, layer) => views.forEach((view, key) => this.#made[layer].set(key, view)));
		return this.#made;
	}

	async #futureFor(wanted: ReadonlyMap<string, Reading>): Promise<readonly number[]> {
		if (![...wanted.values()].some(({ ids }) => ids === 'future')) return [];
		return (this.future ??= await futureOf(this.lab, this.plan));
	}

	/** Such an arm's blocks read what it kept of those before, so nobody can read them for it. */
	async #inBlocks(arm: Arm, block: number): Promise<ArmCache> {
		const { decoder } = this.lab.loaded;
		const future = await this.#futureFor(arm.requests.readings);
		const read = (_: Arm, cache: ArmCache, last: boolean) =>
			makeReadings(decoder, cache, new Map([...arm.requests.readings].filter(([, { everyBlock }]) => last || everyBlock)), future);
		const [{ cache }] = await readInBlocks(decoder, Int32Array.from(this.plan.prompt.ids), { block, read }, [arm], arm.needs, this.rope);
		return cache;
	}
}
