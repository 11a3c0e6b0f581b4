/** What methods see of the prompt and of a step: readings of the pass behind the seams of `methods`. */
import type { Captured } from '$lib/cache/device/index.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import type { Needs, PromptView, StepView } from '$lib/methods/define.ts';
import { readingOf, type MadeReadings } from '$lib/methods/requests.ts';
import type { Rotation } from '$lib/numerics/rope.ts';
import type { Readings } from './readings.ts';

/** `needs`: what the arm asked for; others may have asked for longer windows. */
export function promptView(captured: Captured, layer: number, needs: Needs, model: ModelShape, rope: Rotation, readings: MadeReadings[number]): PromptView {
	return {
		n: captured.n, model, rope,
		keys: (head) => captured.keys(layer, head),
		keysBefore: (head) => captured.keysBefore(layer, head),
		values: (head) => captured.values(layer, head),
		queries(queryHead) {
			const rows = captured.queries(layer, queryHead);
			if (needs.queries === undefined || needs.queries === 'all') return rows;
			return rows.subarray(Math.max(0, rows.length - needs.queries.last * model.headDim));
		},
		attentionSums: (queryHead) => captured.attentionSums(layer, queryHead),
		queriesBefore: (queryHead) => rope.rotate(captured.queries(layer, queryHead), captured.angles.map((angle) => -angle), model.headDim),
		nextLogits: () => captured.nextLogits(),
		reading: (reading) => readingOf(readings, reading)
	};
}

export function stepView(readings: Readings, layer: number, at: { step: number; position: number }, model: ModelShape, rope: Rotation): StepView {
	return {
		...at, model, rope,
		positions: (head) => readings.positions(layer, head),
		query: (queryHead) => readings.query(layer, queryHead),
		attention: (queryHead) => readings.attention(layer, queryHead),
		nextLogits: () => readings.nextLogits()
	};
}
