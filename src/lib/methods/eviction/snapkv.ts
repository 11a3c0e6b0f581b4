import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { windowAttention } from '../observe.ts';
import { meanOf, poolAverage, slotsWhere } from '../select.ts';
import { headsOf } from '../slots.ts';

/**
 * Attention that each slot got from the last `window` prompt tokens: mean over their rows, moving
 * average over neighbours, mean over the query heads of the group. The window's own slots get the
 * largest score of the layer + 1 and always stay.
 */
export function observedByWindow(layer: LayerCache, seen: PromptView, window: number, kernel: number): Scores {
	const raw: Float64Array[] = [];
	const pooled: Float64Array[] = [];
	const always: Uint8Array[] = [];
	for (const head of headsOf(layer)) {
		const positions = layer.positions(head);
		const inWindow = Uint8Array.from(positions, (position) => (position >= seen.n - window ? 1 : 0));
		const before = inWindow.indexOf(1) < 0 ? positions.length : inWindow.indexOf(1);
		const byQuery = windowAttention(layer, seen, head, window);
		const full = new Float64Array(positions.length);
		full.set(meanOf(byQuery.map((row) => poolAverage(row.subarray(0, before), kernel))));
		raw.push(meanOf(byQuery));
		pooled.push(full);
		always.push(inWindow);
	}
	let most = 0;
	for (const row of pooled) for (const value of row) most = Math.max(most, value);
	return {
		byHead: pooled.map((row, head) => row.map((value, slot) => (always[head][slot] ? most + 1 : value))),
		always,
		terms: [
			{ name: 'attention from the window', byHead: raw },
			{ name: 'averaged with neighbours', byHead: pooled }
		],
		meaning: 'attention from the last prompt tokens, averaged with neighbours'
	};
}

export default defineMethod({
	id: 'snapkv',
	title: 'SnapKV',
	subtitle: 'what the end of the prompt looks at',
	family: 'eviction',
	paper: 'Li et al., SnapKV: LLM Knows What You Are Looking For Before Generation, NeurIPS 2024',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers. The paper also uses max pooling.',
	ours: 'A budget smaller than the window keeps the newest tokens of the window. The default window is 32, as in the original code; kvpress has 64.',
	failures: 'It knows what the end of the prompt asks: where the question comes later, what it needs may be gone. The moving average counts nothing beyond the first token, which damps the sinks.',
	idea: 'The last tokens of the prompt already look at the keys that the answer will need. Average the attention of that window, smooth it so that the neighbours of a hit survive with it, and keep the best tokens and the window itself.',
	acts: 'After the prompt.',
	formula: String.raw`s_j=\frac1{G}\sum_{h\in g}\operatorname{avgpool}_{k}\Big(\frac1w\sum_{i=n-w}^{n-1}\operatorname{softmax}\big(q_{h,i}K^\top/\sqrt d\big)_j\Big)`,
	bytes: 'The kept keys and values in fp16, 4 d bytes a slot and KV head, and 2 bytes of position a slot.',
	sources: ['https://arxiv.org/abs/2404.14469', 'https://github.com/FasterDecoding/SnapKV', 'https://github.com/NVIDIA/kvpress'],
	scorer: true,
	params: {
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much of the cache stays, the window included.' },
		window: { kind: 'int', default: 32, min: 1, max: 512, about: 'Last prompt tokens whose attention is asked; they always stay.' },
		kernel: { kind: 'int', default: 5, min: 1, max: 63, odd: true, about: 'Width of the moving average over neighbours; 1 is none.' }
	},
	needs: (params) => ({ queries: { last: params.window as number } }),
	start(context, params) {
		const window = params.window as number;
		const capacity = context.slots(params.budget as Budget);
		const score = (layer: LayerCache, seen: PromptView) => observedByWindow(layer, seen, window, params.kernel as number);
		return {
			score,
			prefilled(layer, seen) {
				if (!headsOf(layer).some((head) => layer.length(head) > capacity)) return;
				keepTop(layer, score(layer, seen), capacity);
				for (const head of headsOf(layer)) {
					const inWindow = Uint8Array.from(layer.positions(head), (p) => (p >= seen.n - window ? 1 : 0));
					layer.mark(head, slotsWhere(inWindow), 'window');
				}
			}
		};
	}
});
