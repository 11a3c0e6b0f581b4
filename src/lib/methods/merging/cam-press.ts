import type { LayerCache, MergeInstruction } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import type { Random } from '$lib/numerics/random.ts';
import { decision } from '../decide.ts';
import { defineMethod, type Scores, type StepView } from '../define.ts';
import { memoryBytes, Recent, stepNeeds } from '../recent.ts';
import { meanOf, topSlots } from '../select.ts';
import { groupOf, headsOf, realign, slotsAt } from '../slots.ts';
import { innerSpec, raised } from '../wrap.ts';

/** Bytes of the running attention of a slot (float32). */
const SUM_BYTES = 4;

/** Attention that the slots of a head received while the text was written. */
interface Received {
	positions: Int32Array;
	values: Float64Array;
}

/** What a layer remembers. */
interface Memory {
	recent: Recent;
	heads: Received[];
	steps: number;
	lots: Random[];
}

/** Chance that an evicted value is merged: its attention over the mean of its window's, 0 to 1. 0/0 is 0, x/0 is 1. */
export function mergeChance(own: number, window: readonly number[]): number {
	const mean = window.reduce((a, b) => a + b, 0) / window.length;
	return own <= 0 ? 0 : mean <= 0 ? 1 : Math.min(1, own / mean);
}

/**
 * Merges of one head: each candidate slot, with its chance, adds its value in equal parts to the
 * next `most` kept slots after it. `values` is [slots, d]; `kept` ascends. A target that is not `open` takes nothing in.
 */
export function spread(values: Float32Array, d: number, kept: Int32Array, candidates: readonly number[], received: Float64Array, most: number, lots: Random, open: Uint8Array): MergeInstruction[] {
	const targets = new Map<number, { from: number[]; weights: number[]; value: Float64Array }>();
	for (const from of candidates) {
		const window = Array.from(kept).filter((slot) => slot > from).slice(0, most);
		if (window.length === 0) continue;
		if (!lots.chance(mergeChance(received[from], window.map((slot) => received[slot])))) continue;
		for (const into of window) {
			if (!open[into]) continue;
			const target = targets.get(into) ?? { from: [], weights: [], value: Float64Array.from(values.subarray(into * d, (into + 1) * d)) };
			target.from.push(from);
			target.weights.push(1 / window.length);
			for (let c = 0; c < d; c++) target.value[c] += values[from * d + c] / window.length;
			targets.set(into, target);
		}
	}
	return [...targets].sort(([a], [b]) => a - b).map(([into, { from, weights, value }]) => ({ into, from, weights, value: Float32Array.from(value) }));
}

/** Positions that a layer holds in any head, ascending, with the mean of their scores over the heads that hold them. */
function meanScores(layer: LayerCache, scores: Scores): { positions: number[]; means: number[]; safe: number[] } {
	const sums = new Map<number, { sum: number; count: number; safe: number }>();
	raised(scores).forEach((row, head) => layer.positions(head).forEach((position, slot) => {
		const old = sums.get(position) ?? { sum: 0, count: 0, safe: 0 };
		sums.set(position, { sum: old.sum + row[slot], count: old.count + 1, safe: Math.max(old.safe, layer.protectedSlots(head)[slot]) });
	}));
	const sorted = [...sums].sort(([a], [b]) => a - b);
	return { positions: sorted.map(([position]) => position), means: sorted.map(([, { sum, count }]) => sum / count), safe: sorted.map(([, { safe }]) => safe) };
}

export default defineMethod({
	id: 'cam-press',
	title: 'CaM while writing',
	subtitle: 'evicted values dissolve into the next ones kept',
	family: 'merging',
	paper: 'Zhang et al., CaM: Cache Merging for Memory-efficient LLMs Inference, ICML 2024; CAMPress of kvpress',
	confidence: 'The rule is that of kvpress 0.5.4; it draws lots, so its numbers cannot be compared. It is checked against a plain simulation with the same lots.',
	ours: 'The lots come from the seed of the run; kvpress draws without one. The interval is 4, the window 4 tokens here; there 512 and 32.',
	idea: 'When a token must go, its value need not be lost: it is added in equal parts to the next few tokens that stay, with a chance that grows with the attention it used to get compared with them. All heads lose the same tokens; each draws its own lots.',
	acts: 'Every N decode steps. The prompt is left alone until then.',
	formula: String.raw`p_i=\min\Big(1,\ \bar A_i\Big/\tfrac1{|W_i|}\sum_{j\in W_i}\bar A_j\Big),\qquad v_j\leftarrow v_j+\tfrac{1}{|W_i|}v_i\ \text{ for } j\in W_i\ \text{ with chance } p_i`,
	bytes: '4 d + 2 bytes a slot and KV head, T to T + N slots, 4 bytes a slot of attention received, and what the scorer asks for: queries of the newest tokens, or attention sums.',
	sources: ['https://openreview.net/forum?id=LCTmppB165', 'https://github.com/NVIDIA/kvpress/pull/196', 'https://github.com/Zefan-Cai/KVCache-Factory'],
	params: {
		scorer: { kind: 'scorer', default: { method: 'snapkv' }, about: 'The method that chooses what stays; its scores are averaged over the heads.' },
		budget: { kind: 'budget', default: { fraction: 0.25 }, about: 'How much stays after each choice.' },
		interval: { kind: 'int', default: 4, min: 1, max: 4096, about: 'Decode steps from one choice to the next; 1 is the form of the paper.' },
		merge_budget: { kind: 'int', default: 4, min: 1, max: 512, about: 'Tokens among which an evicted value is spread.' },
		buffer: { kind: 'int', default: 32, min: 1, max: 4096, about: 'Newest tokens whose queries are remembered for a scorer that asks for queries.' }
	},
	needs: (params, inner) => ({ ...stepNeeds(params, inner, params.buffer as number), stepAttention: true }),
	start(context, params) {
		const { headDim: d, heads, kvHeads } = context.model;
		const rows = params.buffer as number;
		const wanted = context.needsOf(params.scorer);
		const memory = memoryBytes(wanted, rows, heads / kvHeads, d);
		const capacity = context.slots(params.budget as Budget, memory.overhead, memory.perSlot + SUM_BYTES);
		const inner = context.inner(innerSpec(params));
		const byLayer = new Map<number, Memory>();
		const shrink = (layer: LayerCache, { recent, heads, steps, lots }: Memory) => {
			const scores = inner.score!(layer, recent.view(layer));
			const all = meanScores(layer, scores);
			if (all.positions.length <= capacity) return;
			const stays = topSlots(all.means, Math.max(capacity, all.safe.reduce((a, b) => a + b, 0)), all.safe);
			const kept = Array.from(stays, (i) => all.positions[i]);
			const gone = Array.from(all.positions.keys()).filter((i) => !stays.includes(i));
			// Of equal scores the later token comes first.
			const best = [...gone].sort((a, b) => all.means[b] - all.means[a] || b - a).slice(0, steps).map((i) => all.positions[i]);
			for (const head of headsOf(layer)) {
				const positions = layer.positions(head);
				const keep = slotsAt(positions, kept);
				if (keep.length === 0 || keep.length === positions.length) continue;
				const meanOfSlot = realign(all.positions, all.means, positions);
				const reasons = {
					decision: decision({ positions, scores: meanOfSlot, kept: keep, safe: layer.protectedSlots(head), meaning: `averaged over the heads: ${scores.meaning}` })
				};
				const candidates = best.flatMap((position) => Array.from(slotsAt(positions, [position])));
				const merges = spread(layer.values(head), d, keep, candidates, heads[head].values, params.merge_budget as number, lots[head], layer.exact(head, 'V'));
				if (merges.length) layer.merge(head, merges, reasons);
				layer.keep(head, slotsAt(layer.positions(head), kept), reasons);
			}
		};
		const update = (layer: LayerCache, held: Memory) => {
			held.heads = held.heads.map(({ positions, values }, head) => ({ positions: layer.positions(head), values: realign(positions, values, layer.positions(head)) }));
			layer.holdState('attention received while writing', [{ item: 'state', array: Float32Array.from(held.heads.flatMap(({ values }) => Array.from(values))) }]);
			layer.holdState('queries and sums for the scorer', held.recent.parts(layer));
		};
		return {
			prefilled(layer, seen) {
				if (!Number.isFinite(capacity)) return;
				const held: Memory = {
					recent: new Recent(seen, wanted, rows), steps: 0,
					heads: headsOf(layer).map((head) => ({ positions: layer.positions(head), values: new Float64Array(layer.length(head)) })),
					lots: headsOf(layer).map((head) => context.random.fork(`cam ${layer.layer}/${head}`))
				};
				byLayer.set(layer.layer, held);
				update(layer, held);
			},
			appended(layer, seen) {
				const held = byLayer.get(layer.layer);
				if (!held) return;
				held.recent.step(seen);
				held.steps++;
				held.heads = held.heads.map((received, head) => addStep(layer, seen, head, received));
				if (held.steps >= (params.interval as number)) {
					shrink(layer, held);
					held.steps = 0;
				}
				update(layer, held);
			}
		};
	}
});

/** Adds what the step's query paid, mean over the group; new slots begin at 0. */
function addStep(layer: LayerCache, seen: StepView, head: number, received: Received): Received {
	const positions = layer.positions(head);
	const paid = meanOf(groupOf(head, seen.model).map((queryHead) => seen.attention(queryHead)));
	const step = realign(seen.positions(head), paid, positions);
	return { positions, values: realign(received.positions, received.values, positions).map((value, slot) => value + step[slot]) };
}
