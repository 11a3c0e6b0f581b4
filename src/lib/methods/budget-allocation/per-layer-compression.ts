import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type Params } from '../define.ts';
import { isOver } from '../once.ts';
import { scorerNeeds } from '../wrap.ts';

/**
 * Slots a head for each layer: `mean` on average, up to the share `tilt` more in the first layer and as
 * much less in the last; for negative tilt the other way. At least 1. With `only` >= 0 that layer gets
 * the mean and the others have no limit.
 */
export function layerBudgets(mean: number, layers: number, tilt: number, only: number): number[] {
	return Array.from({ length: layers }, (_, layer) => {
		if (only >= 0) return layer === only ? mean : Infinity;
		const height = layers > 1 ? 1 - (2 * layer) / (layers - 1) : 0;
		return Math.max(1, Math.round(mean * (1 + tilt * height)));
	});
}

export default defineMethod({
	id: 'per-layer-compression',
	title: 'Ratios by layer',
	subtitle: 'each layer its own budget, or one layer alone',
	family: 'budget-allocation',
	paper: 'None; PerLayerCompressionPress of kvpress',
	confidence: 'The rule is that of kvpress 0.5.4: the scorer runs with each layer\'s own budget.',
	ours: 'kvpress takes a list with one ratio a layer. Here the budgets lie on a line through the mean, tilted towards lower or upper layers, or one layer alone is cut. Methods that follow each other, which kvpress calls composed, are a stack here.',
	idea: 'Layers need not all be cut alike. Tilt the budget towards lower or upper layers, or cut a single layer and leave the others whole: how much the answer changes then tells how sensitive that layer is.',
	acts: 'After the prompt.',
	formula: String.raw`m_l=\operatorname{round}\Big(\bar m\,\big(1+t\,(1-\tfrac{2l}{L-1})\big)\Big)`,
	bytes: 'As many slots as with equal layers up to rounding, 4 d + 2 bytes each; with one layer cut, the others are whole.',
	sources: ['https://github.com/NVIDIA/kvpress'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method that chooses inside each layer.' },
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays, on average over the layers, or in the one layer that is cut.' },
		tilt: { kind: 'number', default: 0, min: -1, max: 1, step: 0.1, about: 'Above 0 lower layers keep more, below 0 upper ones; 0 makes all equal. No layer can keep more than the prompt, so a steep tilt of a large budget keeps less in all.' },
		only: { kind: 'int', default: -1, min: -1, max: 255, about: 'Cut this layer alone, counted from 0; -1 cuts all.' }
	},
	needs: scorerNeeds,
	start(context, params) {
		const mean = context.slots(params.budget as Budget);
		const whole = mean >= context.promptTokens;
		const scorer = params.scorer as { method: string; params: Params };
		const slots = layerBudgets(mean, context.model.layers, params.tilt as number, params.only as number);
		const inner = slots.map((tokens) =>
			whole || !Number.isFinite(tokens) ? null : context.inner({ method: scorer.method, params: { ...scorer.params, budget: { tokens } } })
		);
		return {
			prefilled(layer, seen) {
				const chooser = inner[layer.layer];
				if (chooser && isOver(layer, slots[layer.layer])) keepTop(layer, chooser.score!(layer, seen), slots[layer.layer]);
			}
		};
	}
});
