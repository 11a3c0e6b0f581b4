/**
 * What a run says after each step. A trace is the first state plus its updates, so that a page in
 * another thread holds the same trace as the lab without ever sending the whole of it again.
 */
import type { ArmStepTrace, CellDiff, StepTrace, TaskOutcome, Timings, Trace, VerbRecord } from '$lib/documents/trace.ts';

export interface ArmUpdate {
	trace: ArmStepTrace;
	diff: CellDiff;
	verbs: VerbRecord[];
}

export interface StepUpdate {
	step: number;
	/** null when the row had ended before this step. */
	reference: StepTrace | null;
	arms: (ArmUpdate | null)[];
	/** Bytes of the full fp16 cache after this step. */
	referenceBytes: number;
	/** Texts of the rows, with what only later tokens complete (letters of several byte tokens). */
	texts: { reference: string; arms: string[] };
	timings: Timings;
	done: boolean;
	/** With `done`, for tasks. */
	outcomes?: { reference: TaskOutcome; arms: TaskOutcome[] };
}

/** Adds a step to a trace, in place. */
export function applyUpdate(trace: Trace, update: StepUpdate): void {
	if (update.reference) trace.reference.steps.push(update.reference);
	trace.reference.text = update.texts.reference;
	trace.reference.bytes = update.referenceBytes;
	update.arms.forEach((arm, i) => {
		const row = trace.arms[i];
		row.text = update.texts.arms[i];
		if (!arm) return;
		row.steps.push(arm.trace);
		if (arm.diff.cells.length) row.diffs.push(arm.diff);
		row.verbs.push(...arm.verbs);
	});
	trace.timings = update.timings;
	trace.done = update.done;
	if (update.outcomes) {
		trace.reference.task = update.outcomes.reference;
		update.outcomes.arms.forEach((outcome, i) => (trace.arms[i].task = outcome));
	}
}

/** Buffers of all typed arrays in a value, each once, for transfer between threads. */
export function buffersOf(value: unknown, found = new Set<ArrayBufferLike>()): ArrayBuffer[] {
	if (ArrayBuffer.isView(value)) found.add(value.buffer);
	else if (Array.isArray(value)) for (const item of value) buffersOf(item, found);
	else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) buffersOf(item, found);
	return [...found].filter((buffer) => buffer instanceof ArrayBuffer);
}
