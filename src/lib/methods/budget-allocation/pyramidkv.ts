import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type Params } from '../define.ts';
import { isOver } from '../once.ts';
import { scorerNeeds, shareOf } from '../wrap.ts';

/** Nearest whole number; from the middle between two to the even one, as Python rounds. */
export function roundHalfEven(x: number): number {
	const below = Math.floor(x);
	if (x - below !== 0.5) return Math.round(x);
	return below % 2 === 0 ? below : below + 1;
}

/**
 * Slots a head for each layer, falling evenly from the first to the last: `mean` on average, the last
 * near mean / beta, no more than n - window anywhere. Where that would leave a layer less than the
 * window, all layers get the same (`flat`).
 */
export function pyramid(n: number, mean: number, layers: number, window: number, beta: number): { slots: number[]; flat: boolean } {
	let least = mean / beta;
	let most = 2 * mean - least;
	if (most >= n - window) {
		most = n - window;
		least = 2 * mean - most;
	}
	const flat = layers < 2 || !(n >= most && most >= least && least >= window);
	const slots = Array.from({ length: layers }, (_, layer) =>
		Math.max(1, roundHalfEven(flat ? mean : most - (layer * (most - least)) / (layers - 1)))
	);
	return { slots, flat };
}

export default defineMethod({
	id: 'pyramidkv',
	title: 'PyramidKV',
	subtitle: 'much for lower layers, little for upper ones',
	family: 'budget-allocation',
	paper: 'Cai et al., PyramidKV: Dynamic KV Cache Compression Based on Pyramidal Information Funneling, 2024',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers. The original code rounds differently and adds the window to the budgets.',
	ours: 'Any scorer may decide inside a layer; published is SnapKV. The window of the formula is the scorer\'s, 1 if it has none. A layer keeps one slot at least, and a model of one layer gets the plain budget.',
	failures: 'A small budget makes it flat: the published window of 64 and beta of 20 need 1280 kept tokens on average once more than half is dropped. A model of few layers has no pyramid to speak of.',
	idea: 'Lower layers spread their attention widely, upper layers concentrate it. So lower layers get a larger budget and upper layers a smaller one, falling in a straight line, and a scorer decides inside each layer. Where the smallest budget would not hold the scorer\'s window, the pyramid silently becomes flat; the reason of the decision says so here.',
	acts: 'After the prompt.',
	formula: String.raw`m_l=\operatorname{round}\Big(m_{\max}-l\,\frac{m_{\max}-m_{\min}}{L-1}\Big),\quad m_{\min}=\frac{c}{\beta},\ m_{\max}=2c-m_{\min}`,
	bytes: 'As many slots as with equal layers up to rounding, 4 d + 2 bytes each.',
	sources: ['https://arxiv.org/abs/2406.02069', 'https://github.com/Zefan-Cai/KVCache-Factory', 'https://github.com/NVIDIA/kvpress'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv', params: { window: 8 } }, about: 'The method that chooses inside each layer.' },
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays, on average over the layers.' },
		beta: { kind: 'number', default: 5, min: 1, max: 100, step: 1, about: 'How steep: the last layer gets about the mean divided by this; published is 20, which is flat for short texts; 1 is flat.' }
	},
	needs: scorerNeeds,
	start(context, params) {
		const budget = params.budget as Budget;
		const whole = !Number.isFinite(context.slots(budget)) || context.slots(budget) >= context.promptTokens;
		const scorer = params.scorer as { method: string; params: Params };
		const n = context.promptTokens;
		const window = (scorer.params.window as number | undefined) ?? 1;
		const { slots, flat } = pyramid(n, n * shareOf(context, budget), context.model.layers, window, params.beta as number);
		const inner = slots.map((tokens) => context.inner({ method: scorer.method, params: { ...scorer.params, budget: { tokens } } }));
		return {
			prefilled(layer, seen) {
				const most = slots[layer.layer];
				if (whole || !isOver(layer, most)) return;
				const scores = inner[layer.layer].score!(layer, seen);
				const budgetOf = flat ? 'all layers keep the same, the budget being too small for a pyramid' : `this layer keeps ${most}`;
				keepTop(layer, { ...scores, meaning: `${scores.meaning}; ${budgetOf}` }, most);
			}
		};
	}
});
