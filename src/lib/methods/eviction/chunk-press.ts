import type { Budget } from '$lib/documents/experiment.ts';
import { chooseTop, decision } from '../decide.ts';
import { defineMethod } from '../define.ts';
import { BUDGET, isOver, KEPT_BYTES } from '../once.ts';
import { partOf, seenOf } from '../part.ts';
import { headsOf } from '../slots.ts';
import { apportion, innerSpec, partNeeds } from '../wrap.ts';

/** Slots of one head whose positions lie from `from` to below `to`. */
export const slotsBetween = (positions: Int32Array, from: number, to: number): number[] =>
	Array.from(positions.keys()).filter((slot) => positions[slot] >= from && positions[slot] < to);

/**
 * How many slots pieces of these sizes keep: of a fraction each piece its share, rounded down, but one at least;
 * of a number of slots all together `capacity`, the largest remainders first.
 */
export function countsOf(sizes: readonly number[], budget: Budget, capacity: number): number[] {
	if ('fraction' in budget) return sizes.map((size) => Math.min(size, Math.max(1, Math.trunc(size * budget.fraction))));
	const total = sizes.reduce((a, b) => a + b, 0);
	const kept = Math.max(0, Math.min(capacity, total));
	return apportion(sizes.map((size) => (size * kept) / (total || 1)), kept);
}

export default defineMethod({
	id: 'chunk-press',
	title: 'Chunk by chunk',
	subtitle: 'every piece of the text keeps the same share',
	family: 'eviction',
	paper: 'ChunkPress of kvpress; the idea is that of FINCH (Corallo and Papotti, 2024)',
	confidence: 'Follows kvpress 0.5.4 and agrees with its numbers.',
	ours: 'A scorer that looks through a window of queries sees the last queries of each piece where they stand. kvpress 0.5.4 turns them to the positions at the end of the whole text; variant "released" does so. A last piece shorter than the window is an error there, and a shorter window here. A budget in tokens or bytes is dealt out in whole, the largest remainders first. Pieces here are of 64 tokens, there of 1024.',
	idea: 'Scores taken over the whole text can wipe out a region of it. Cut the text into pieces, score each as if it were all there is, and let each keep the same share.',
	acts: 'After the prompt.',
	formula: String.raw`\text{keep}=\bigcup_C\operatorname{top}_{\max(1,\lfloor f|C|\rfloor)}\big\{s_j(C)\big\}_{j\in C}`,
	bytes: KEPT_BYTES,
	sources: ['https://github.com/NVIDIA/kvpress', 'https://arxiv.org/abs/2408.00167'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method that scores each piece on its own.' },
		budget: BUDGET,
		chunk: { kind: 'int', default: 64, min: 1, max: 4096, about: 'Tokens a piece; as many as the prompt has is the scorer alone.' },
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'Whether queries of a piece stand where they are, or, as released, at the end of the text.' }
	},
	needs: partNeeds,
	start(context, params) {
		const budget = params.budget as Budget;
		const length = params.chunk as number;
		const capacity = context.slots(budget);
		const inner = context.inner(innerSpec(params));
		return {
			prefilled(layer, seen) {
				if (!isOver(layer, capacity)) return;
				const heads = headsOf(layer);
				const positions = heads.map((head) => layer.positions(head));
				const starts = Array.from({ length: Math.ceil(seen.n / length) }, (_, i) => i * length);
				const pieces = starts.map((from) => positions.map((row) => slotsBetween(row, from, from + length)));
				const shares = heads.map((head) => countsOf(pieces.map((piece) => piece[head].length), budget, capacity));
				const kept: number[][] = heads.map(() => []);
				const scores = positions.map((row) => new Float64Array(row.length));
				const safe = positions.map((row) => new Uint8Array(row.length));
				let meaning = '';
				starts.forEach((from, i) => {
					if (pieces[i].every((slots) => slots.length === 0)) return;
					const part = partOf(layer, pieces[i]);
					const end = Math.min(seen.n, from + length);
					const found = inner.score!(part, seenOf(seen, part, from, end, params.variant === 'released' ? seen.n - end : 0));
					meaning = `within its piece of ${length} tokens: ${found.meaning}`;
					for (const head of heads) {
						const chosen = chooseTop(part, found, head, shares[head][i]);
						const slots = pieces[i][head];
						kept[head].push(...Array.from(chosen.kept, (slot) => slots[slot]));
						slots.forEach((slot, j) => {
							scores[head][slot] = found.byHead[head][j];
							safe[head][slot] = chosen.safe[j];
						});
					}
				});
				for (const head of heads) {
					if (kept[head].length === layer.length(head)) continue;
					layer.keep(head, kept[head], {
						decision: decision({ positions: positions[head], scores: scores[head], safe: safe[head], kept: kept[head], meaning })
					});
				}
			}
		};
	}
});
