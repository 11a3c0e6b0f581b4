import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type PromptView, type Reading, type Scores } from '../define.ts';
import { BUDGET, isOver, KEPT_BYTES } from '../once.ts';
import { meanOf } from '../select.ts';
import { groupOf, headsOf } from '../slots.ts';

/**
 * F_t by position: the largest that any block from `from` on pays. `paid`: [positions] by block.
 * Zeros where no block is left.
 */
export function largestFrom(paid: readonly Float64Array[], from: number, positions: number): Float64Array {
	const most = new Float64Array(positions);
	for (const block of paid.slice(from)) block.forEach((value, i) => (most[i] = Math.max(most[i], value)));
	return most;
}

export default defineMethod({
	id: 'foresightkv',
	title: 'ForesightKV, the oracle',
	subtitle: 'drops what the coming text looks at least',
	family: 'eviction',
	paper: 'ForesightKV: Optimizing KV Cache Eviction for Reasoning Models by Learning Long-Term Contribution, ICML 2026',
	confidence: 'The rule of golden eviction follows the official training code as described on its card; it has not been compared with that code by running it.',
	ours: 'Only the oracle is here: a line above, not a method that could be used. The trained scorer that imitates it is not. The future is what the full cache writes, attention as it was there. Of tokens that are written the future is not recorded, so they stay as long as any prompt token is there to drop. A long prompt is cut at once; published is block by block.',
	idea: 'If one could see the future, eviction would be easy: let the full cache write first, note what each block of coming tokens pays to every token, then replay and drop those whose largest coming attention is smallest. A real scorer can at best come near to this.',
	acts: 'After the prompt, then at the end of every block of written tokens; the full cache writes its answer before that.',
	formula: String.raw`F_t[i]=\max_{s>t}\frac1{Gw}\sum_{h\in g}\sum_{q\in\text{block }s}a_{h,q,i},\qquad \text{drop the smallest }F_t\text{ until }b\text{ are left}`,
	bytes: `${KEPT_BYTES} Between two choices up to one block more.`,
	sources: ['https://arxiv.org/abs/2602.03203', 'https://github.com/RUCAIBox/ForesightKV'],
	params: {
		budget: BUDGET,
		block: { kind: 'int', default: 8, min: 1, max: 4096, about: 'Written tokens from one choice to the next; the newest block always stays. Published are 256 and 512.' }
	},
	needs: () => ({}),
	start(context, params) {
		const capacity = context.slots(params.budget as Budget);
		const block = params.block as number;
		if (!Number.isFinite(capacity)) return {};
		const future: Reading = context.reading({ ids: 'future', over: 'prompt', columns: { take: 'mean', own: true, block } });
		/** What each coming block pays, by layer, head and block: [prompt tokens]. */
		const paid = new Map<number, Float64Array[][]>();
		const record = (layer: LayerCache, seen: PromptView): Float64Array[][] => {
			const view = seen.reading(future);
			return headsOf(layer).map((head) => Array.from({ length: view.blocks }, (_, s) => meanOf(groupOf(head, seen.model).map((h) => view.columns(h, s)))));
		};
		/** Scores at the moment when `gone` blocks have been written, the newest `block` tokens and all written ones safe. */
		const score = (layer: LayerCache, byHead: Float64Array[][], gone: number): Scores => {
			const most = byHead.map((blocks) => largestFrom(blocks, gone, context.promptTokens));
			return {
				byHead: headsOf(layer).map((head) => Float64Array.from(layer.positions(head), (position) => most[head][position] ?? 0)),
				always: headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position >= context.promptTokens ? 1 : 0))),
				meaning: 'the largest attention that any coming block of tokens pays, known from the full cache'
			};
		};
		return {
			prefilled(layer, seen) {
				const byHead = record(layer, seen);
				paid.set(layer.layer, byHead);
				if (isOver(layer, capacity)) keepTop(layer, score(layer, byHead, 0), capacity);
			},
			appended(layer, seen) {
				const written = seen.position - context.promptTokens + 1;
				const byHead = paid.get(layer.layer);
				if (!byHead || written % block !== 0 || !isOver(layer, capacity)) return;
				keepTop(layer, score(layer, byHead, written / block), capacity);
			},
			// The oracle needs the whole prompt.
			blockEnded() {}
		};
	}
});
