/** What the methods that choose once, when the prompt has been read, have in common. */
import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from './decide.ts';
import type { MethodInstance, ParamSpec, PromptView, Scores, StartContext } from './define.ts';
import { headsOf } from './slots.ts';

/** The budget of a method that stores nothing beside the slots it keeps. */
export const BUDGET = { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays.' } as const satisfies ParamSpec;

export const KEPT_BYTES = 'The kept keys and values in fp16, 4 d bytes a slot and KV head, and 2 bytes of position a slot.';

/** True where some head of the layer holds more than `capacity` slots. */
export const isOver = (layer: LayerCache, capacity: number): boolean => headsOf(layer).some((head) => layer.length(head) > capacity);

/** An instance that scores the layer's slots after the prompt and keeps the best `capacity` of each head. */
export function evictOnce(capacity: number, score: (layer: LayerCache, seen: PromptView) => Scores): MethodInstance {
	return {
		score,
		prefilled(layer, seen) {
			if (isOver(layer, capacity)) keepTop(layer, score(layer, seen), capacity);
		}
	};
}

/**
 * A budget as slots a head before any rounding: the fraction's share of the prompt, or the slots
 * that tokens or bytes give. What is computed from the ratio of compression needs it.
 */
export function exactSlots(context: StartContext, budget: Budget, overhead?: number, perSlot?: number): number {
	if ('fraction' in budget && budget.fraction < 1) return context.promptTokens * budget.fraction;
	return context.slots(budget, overhead, perSlot);
}

/** All numbers minus their common mean, over their common standard deviation (n - 1), at least 1e-6. */
export function standardise(rows: readonly Float64Array[]): Float64Array[] {
	const count = rows.reduce((sum, row) => sum + row.length, 0);
	const mean = rows.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0) / count;
	const squares = rows.reduce((sum, row) => sum + row.reduce((a, b) => a + (b - mean) ** 2, 0), 0);
	const deviation = Math.max(Math.sqrt(squares / Math.max(1, count - 1)), 1e-6);
	return rows.map((row) => row.map((value) => (value - mean) / deviation));
}
