import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { decision } from '../decide.ts';
import { defineMethod } from '../define.ts';
import { meanOf, slotsWhere, topSlots } from '../select.ts';
import { groupOf, headsOf } from '../slots.ts';
import { noPages, pageCount, updatePages, upperBounds, type PageBounds } from './pages.ts';

/** Fewer pages than this are never read. */
const LEAST_PAGES = 3;

/** Element-wise maximum of rows of equal length. */
function maxOf(rows: readonly Float64Array[]): Float64Array {
	return rows[0].map((_, i) => Math.max(...rows.map((row) => row[i])));
}

export default defineMethod({
	id: 'quest',
	title: 'Quest',
	subtitle: 'read only the pages that may matter now',
	family: 'retrieval',
	paper: 'Tang et al., Quest: Query-Aware Sparsity for Efficient Long-Context LLM Inference, ICML 2024',
	confidence: 'Follows the official code as described on its card. The rule for shared KV heads is our choice.',
	ours: 'Query heads that share a KV head share its pages, chosen by the largest (or mean) bound among them.',
	failures: 'It saves reading, not memory: the bounds of the pages come on top of the full cache. Attention in the first two layers is spread too widely for it, so they are read whole.',
	idea: 'Nothing is evicted. Tokens lie in pages; each page remembers the least and the greatest value of every key channel. From those and the query follows a bound that no logit in the page can exceed. Read the pages with the highest bounds exactly and skip the others: no memory is saved, but most of the reading is.',
	acts: 'Before every read.',
	formula: String.raw`u(P)=\sum_c\max\big(q_c\,\mathrm{lo}_{P,c},\;q_c\,\mathrm{hi}_{P,c}\big)\ \ge\ \max_{j\in P}q^\top k_j`,
	bytes: 'The whole cache, and 4 d bytes of bounds a page and KV head. Read at a step: the bounds and the chosen pages.',
	sources: ['https://arxiv.org/abs/2406.10774', 'https://github.com/mit-han-lab/Quest'],
	params: {
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How many tokens are read at a step, in whole pages, at least three; bytes count what is read.' },
		page: { kind: 'int', default: 16, min: 1, max: 256, about: 'Tokens of a page.' },
		group: { kind: 'choice', default: 'max', options: ['max', 'mean'], about: 'How the bounds of query heads that share a KV head become one.' },
		exempt: { kind: 'int', default: 2, min: 0, max: 64, about: 'First layers that read everything, since their attention is spread out.' }
	},
	needs: () => ({ stepQuery: true }),
	start(context, params) {
		const size = params.page as number;
		const capacity = context.slots(params.budget as Budget);
		const wanted = Math.max(LEAST_PAGES, Math.floor(capacity / size));
		const join = params.group === 'max' ? maxOf : meanOf;
		const exempt = params.exempt as number;
		const byLayer = new Map<number, PageBounds[]>();

		/** Brings the bounds up to date; what exists of them is billed, in halves like the keys. */
		const refresh = (layer: LayerCache): PageBounds[] => {
			const before = byLayer.get(layer.layer) ?? headsOf(layer).map(() => noPages(size, layer.headDim));
			const now = headsOf(layer).map((head) => updatePages(before[head], layer.positions(head), layer.keys(head)));
			if (now.some((bounds, head) => bounds !== before[head])) {
				byLayer.set(layer.layer, now);
				const parts = now.flatMap(({ stored }) => stored);
				layer.holdState('page bounds', parts.map((array) => ({ item: 'state', array })));
			}
			return now;
		};
		const applies = (layer: LayerCache) => layer.layer >= exempt && Number.isFinite(capacity);
		return {
			prefilled(layer) {
				if (applies(layer)) refresh(layer);
			},
			attending(layer, seen) {
				if (!applies(layer)) return;
				const all = refresh(layer);
				for (const head of headsOf(layer)) {
					const bounds = all[head];
					const pages = pageCount(bounds);
					const last = new Uint8Array(pages);
					last[pages - 1] = 1;
					const upper = join(groupOf(head, seen.model).map((queryHead) => upperBounds(bounds, seen.query(queryHead))));
					const chosen = new Uint8Array(pages);
					for (const page of topSlots(upper, wanted, last)) chosen[page] = 1;
					showOnly(layer, head, chosen, upper, size);
				}
			}
		};
	}
});

/** Hides the slots of pages that were not chosen and shows the others; records only what changes. */
function showOnly(layer: LayerCache, head: number, chosen: Uint8Array, upper: Float64Array, size: number): void {
	const hidden = layer.hidden(head);
	const guarded = layer.protectedSlots(head);
	const pages = chosen.length;
	const n = hidden.length;
	const safe = new Uint8Array(n);
	const read = new Uint8Array(n);
	const scores = new Float64Array(n);
	for (let slot = 0; slot < n; slot++) {
		const page = Math.floor(slot / size);
		safe[slot] = guarded[slot] || page === pages - 1 ? 1 : 0;
		read[slot] = guarded[slot] || chosen[page] ? 1 : 0;
		scores[slot] = upper[page];
	}
	const toHide = slotsWhere(read.map((flag, slot) => (!flag && !hidden[slot] ? 1 : 0)));
	const toShow = slotsWhere(read.map((flag, slot) => (flag && hidden[slot] ? 1 : 0)));
	if (toHide.length === 0 && toShow.length === 0) return;
	const reasons = {
		decision: decision({
			positions: layer.positions(head),
			scores,
			meaning: 'bound on the logits of the page',
			safe,
			kept: slotsWhere(read)
		})
	};
	if (toHide.length) layer.hide(head, toHide, reasons);
	if (toShow.length) layer.show(head, toShow, reasons);
}
