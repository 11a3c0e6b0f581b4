/** Arms of one text decoded in lockstep, without writing down more than what is asked for. */
import { DeviceMemory, type Attending } from '$lib/cache/device/index.ts';
import { joinNeeds } from '$lib/methods/start.ts';
import type { Lab } from '../lab.ts';
import type { StartedArm } from '../prompt-read.ts';
import { Readings } from '../readings.ts';

/**
 * Runs up to `steps` steps after the prompt `ids`; step 0 runs the last prompt token once more. `take` sees the
 * logits of a row and gives its next token, or null when the row has ended. Ends when all have. The arms
 * are used up: their caches and methods have gone on. The signal is looked at before each step.
 */
export async function decodeRows(
	lab: Lab, ids: readonly number[], rows: readonly StartedArm[], steps: number, take: (row: number, step: number, logits: Float32Array) => number | null, signal?: AbortSignal
): Promise<void> {
	if (rows.length === 0 || steps < 1) return;
	const n = ids.length;
	const memory = new DeviceMemory(rows.map(({ cache }) => cache), n + steps - 1);
	const { stepAttention, stepQuery } = joinNeeds(rows.map(({ arm }) => arm.needs));
	const last = new Int32Array(rows.length).fill(ids[n - 1]);
	const ended = rows.map(() => false);
	try {
		for (let step = 0; step < steps && ended.includes(false); step++) {
			signal?.throwIfAborted();
			const position = n - 1 + step;
			const attending = new Map<number, Attending>();
			rows.forEach(({ arm, cache }, row) => {
				const act = arm.attending(cache, step, position);
				if (act && !ended[row]) attending.set(row, act);
			});
			const pass = memory.begin(step === 0 ? 'transient' : 'append', {
				attention: stepAttention && { firstRow: 0, rows: rows.length }, queries: stepQuery ? { last: 1 } : undefined, attending
			});
			const output = await lab.loaded.decoder.forward(last.slice(), pass, memory);
			const { logits, seen } = await memory.finishWith(output.logits).finally(() => output.logits.dispose());
			const vocab = logits.length / rows.length;
			rows.forEach(({ arm, cache }, row) => {
				if (ended[row]) return;
				const says = logits.slice(row * vocab, (row + 1) * vocab);
				const readings = new Readings(seen, row, cache, position, arm.needs.nextLogits ? says : undefined);
				if (step > 0) arm.appended(cache, readings, step, position);
				cache.takeRecords();
				const token = take(row, step, says);
				if (token === null) ended[row] = true;
				else last[row] = token;
			});
		}
	} finally {
		memory.dispose();
	}
}
