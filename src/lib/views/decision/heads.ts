/** One token in every head: its fate, rank and score, the cut, and what the full cache gave it since. Pure. */
import { cellIndex, isReadable } from '$lib/documents/read.ts';
import { CELL_STATES, type ArmTrace, type CellState, type ModelShape, type TokenProbe } from '$lib/documents/trace.ts';
import { verdict, type Verdict } from './geometry.ts';

export interface HeadCase {
	layer: number;
	head: number;
	state: CellState;
	verdict: Verdict;
	/** The first step whose read could miss the token; null while it can be read. */
	missedFrom: number | null;
}

/** Every head's case after `step`, layer by layer. `cells`: the states after that step. */
export function everyHead(model: ModelShape, arm: ArmTrace, cells: Uint8Array, position: number, step: number): HeadCase[] {
	return Array.from({ length: model.layers * model.kvHeads }, (_, row) => {
		const [layer, head] = [Math.floor(row / model.kvHeads), row % model.kvHeads];
		const state = cells[cellIndex(model, arm.span, layer, head, position)] ?? 0;
		const found = verdict(arm, layer, head, position, step, state);
		return { layer, head, state: CELL_STATES[state], verdict: found, missedFrom: isReadable(state) ? null : missedFrom(found) };
	});
}

/** Methods act after a step's read; a hand, and what is chosen before a read, act before it. */
function missedFrom({ record }: Verdict): number {
	if (!record) return 0;
	const before = record.by === 'hand' || record.verb === 'hide' || record.verb === 'show';
	return Math.max(0, before ? record.step : record.step + 1);
}

export interface Received {
	/** First step that counts. */
	from: number;
	/** By step from `from` on: share of the head's attention, mean of the query heads that read this KV head. */
	full: Float32Array;
	arm: Float32Array;
	/** Mean over the steps; 0 without any. */
	mean: number;
	/** The step in which the full cache gave it most, and how much; null without any step. */
	most: { step: number; share: number } | null;
}

/** What the token received in one KV head in the steps from `from` to `last`. */
export function received(probe: TokenProbe, model: ModelShape, layer: number, head: number, from: number, last: number): Received {
	const group = model.heads / model.kvHeads;
	const count = Math.max(0, Math.min(last, probe.steps - 1) - from + 1);
	const mean = (values: Float32Array) => Float32Array.from({ length: count }, (_, i) => {
		let sum = 0;
		for (let g = 0; g < group; g++) sum += values[(layer * model.heads + head * group + g) * probe.steps + from + i];
		return sum / group;
	});
	const full = mean(probe.full);
	let most: Received['most'] = null;
	full.forEach((share, i) => {
		if (!most || share > most.share) most = { step: from + i, share };
	});
	return { from, full, arm: mean(probe.arm), mean: count ? full.reduce((a, b) => a + b, 0) / count : 0, most };
}
