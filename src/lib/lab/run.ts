/**
 * One experiment, step by step. The rows of the batch are the reference (full cache), the arms and,
 * when arms generate freely, one shadow an arm: the full cache fed that arm's tokens.
 */
import { fullCacheBytes } from '$lib/cache/bill.ts';
import { cellStates } from '$lib/cache/cells.ts';
import { DeviceMemory, type Attending, type Seen } from '$lib/cache/device/index.ts';
import type { Experiment } from '$lib/documents/experiment.ts';
import { copiedFrom } from '$lib/documents/head-types.ts';
import type { CellDiff, Probe, ProbeRequest, ProbeOf, TaskOutcome, Trace } from '$lib/documents/trace.ts';
import type { Needs } from '$lib/methods/define.ts';
import { joinNeeds } from '$lib/methods/start.ts';
import { queriesOf } from './attention-log.ts';
import { readPromptInAllArms, type Parts, type RunOptions } from './begin.ts';
import type { Lab } from './lab.ts';
import { compare, Distribution, rowStep } from './metrics.ts';
import { takeProbe } from './probes/index.ts';
import { Readings } from './readings.ts';
import { makeResult, type RecordedLogits, type Result } from './result.ts';
import { Row } from './row.ts';
import { scoreAnswer } from './tasks/index.ts';
import { TokenTexts } from './token-texts.ts';
import { applyUpdate, type ArmUpdate, type StepUpdate } from './update.ts';

export class Run {
	readonly trace: Trace;
	readonly #p: Parts;
	readonly #memory: DeviceMemory;
	readonly #rows: Row[];
	readonly #texts: TokenTexts;
	readonly #cells: Uint8Array[];
	readonly #logits: RecordedLogits;
	readonly #decodeNeeds: Needs;
	#spent = { ms: 0, passes: 0 };
	#broken = false;

	private constructor(parts: Parts) {
		const { plan, trace, arms } = parts;
		this.#p = parts;
		this.trace = trace;
		this.#memory = new DeviceMemory(parts.caches, plan.span);
		this.#texts = plan.texts;
		const count = parts.caches.length;
		// Every row draws from the same stream, so that equal distributions give equal tokens.
		this.#rows = Array.from({ length: count }, () => new Row(this.#texts, plan.experiment.generate));
		this.#cells = trace.arms.map((arm) => arm.cells);
		this.#logits = { reference: [], arms: arms.map(() => []) };
		this.#decodeNeeds = joinNeeds([...arms.map((arm) => arm.needs), ...(parts.record ? [{ stepAttention: true, stepQuery: true }] : [])]);
	}

	/** Reads the prompt and compresses it. Throws DocumentError before anything is computed. */
	static async begin(lab: Lab, experiment: Experiment, options: RunOptions): Promise<Run> {
		return new Run(await readPromptInAllArms(lab, experiment, options));
	}

	/**
	 * Takes up to `steps` steps, or as many as there are. `onStep` is waited for, so a slow listener
	 * slows the run. The signal is looked at between steps; the run can go on after it.
	 */
	async advance(steps = Infinity, onStep?: (update: StepUpdate) => unknown, signal?: AbortSignal): Promise<void> {
		for (let i = 0; i < steps && !this.trace.done; i++) {
			signal?.throwIfAborted();
			if (this.#broken) throw new Error('This run ended in an error and cannot go on.');
			const update = await this.#step().catch((error: unknown) => {
				this.#broken = true;
				this.#memory.abandon();
				throw error;
			});
			applyUpdate(this.trace, update);
			await onStep?.(update);
		}
	}

	async #step(): Promise<StepUpdate> {
		const { plan, arms, lab } = this.#p;
		const n = plan.prompt.ids.length;
		const step = this.#spent.passes;
		const before = performance.now();
		const { logits, seen } = await this.#pass(step, n - 1 + step);
		const tokens = this.#takeTokens(logits, step);
		const says = logits.map((row) => new Distribution(row));
		const armUpdates = arms.map((_, i) => this.#finishArm(i, step, n - 1 + step, says, tokens, seen));
		if (this.#p.record && !this.#rows[0].ended) {
			this.#p.sources.log.reference.push({ queries: queriesOf(lab.model, seen, 0), copiedFrom: copiedFrom(plan.prompt, tokens[0]) });
		}
		const reference = this.#rows[0].ended ? null : rowStep(says[0], tokens[0], this.#rows[0].push(tokens[0]), this.#texts.of);
		const own = this.#rows.slice(0, 1 + arms.length);
		if (!plan.forced) {
			own.forEach((row, i) => {
				if (!row.ended && lab.loaded.ends.includes(tokens[i])) this.#end(i);
			});
		}
		const done = step + 1 >= plan.steps || own.every((row) => row.ended);
		this.#spent = { ms: this.#spent.ms + performance.now() - before, passes: step + 1 };
		return {
			step, reference, arms: armUpdates, done,
			referenceBytes: reference ? fullCacheBytes(lab.model, n + step) : this.trace.reference.bytes,
			texts: { reference: own[0].text, arms: own.slice(1).map((row) => row.text) },
			timings: { ...this.trace.timings, perToken: this.#spent.ms / this.#spent.passes },
			...(done ? this.#outcomes() : {})
		};
	}

	/** Runs one token of every row. Step 0 runs the last prompt token once more; nothing is stored then. */
	async #pass(step: number, position: number): Promise<{ logits: Float32Array[]; seen: Seen }> {
		const { plan, lab, arms, caches, sources } = this.#p;
		arms.forEach((arm, i) => !this.#rows[1 + i].ended && arm.stepBegins(caches[1 + i], step, sources.shadows[i]));
		const attending = new Map<number, Attending>();
		arms.forEach((arm, i) => {
			const act = arm.attending(caches[1 + i], step, position);
			if (act && !this.#rows[1 + i].ended) attending.set(1 + i, act);
		});
		const { stepAttention, stepQuery } = this.#decodeNeeds;
		const pass = this.#memory.begin(step === 0 ? 'transient' : 'append', {
			// Nobody asks for the reference's or a shadow's: theirs can be worked out from their keys at any time.
			attention: stepAttention && { firstRow: 1, rows: arms.length }, queries: stepQuery ? { last: 1 } : undefined, attending
		});
		const last = plan.prompt.ids.at(-1) as number;
		const ids = Int32Array.from(this.#rows, (row, i) => (step === 0 ? last : this.#rows[this.#leader(i)].last));
		const output = await lab.loaded.decoder.forward(ids, pass, this.#memory);
		try {
			const { logits: all, seen } = await this.#memory.finishWith(output.logits);
			const vocab = all.length / caches.length;
			const logits = caches.map((_, row) => all.slice(row * vocab, (row + 1) * vocab));
			if (step > 0) sources.exact.forEach((exact, i) => !this.#rows[1 + i].ended && exact.take(sources.arms[i]));
			return { logits, seen };
		} finally {
			output.logits.dispose();
		}
	}

	/** The row whose tokens row `i` reads: shadows follow their arm. */
	#leader(row: number): number {
		const { arms } = this.#p;
		return row > arms.length ? row - arms.length : row;
	}

	#takeTokens(logits: Float32Array[], step: number): number[] {
		const { forced, experiment, arms } = this.#p.plan;
		const wants = experiment.report.includes('logits');
		const count = 1 + arms.length;
		if (wants && !this.#rows[0].ended) this.#logits.reference.push(logits[0]);
		if (wants) arms.forEach((_, i) => !this.#rows[1 + i].ended && this.#logits.arms[i].push(logits[1 + i]));
		return Array.from({ length: count }, (_, row) => (forced ? forced[step] : this.#rows[row].choose(logits[row])));
	}

	/** Lets an arm's methods act on the new token and writes down what came of it. */
	#finishArm(i: number, step: number, position: number, says: Distribution[], tokens: number[], seen: Seen): ArmUpdate | null {
		const { arms, caches, plan, sources, record } = this.#p;
		const row = this.#rows[1 + i];
		if (row.ended) return null;
		const cache = caches[1 + i];
		const shadow = plan.forced ? 0 : 1 + arms.length + i;
		const readings = new Readings(seen, 1 + i, cache, position, arms[i].needs.nextLogits ? says[1 + i].logits : undefined);
		if (record) sources.log.add(i, readings, queriesOf(this.#p.lab.model, seen, shadow));
		if (step > 0) arms[i].appended(cache, readings, step, position);
		const cells = cellStates(cache, plan.span);
		const diff = difference(step, this.#cells[i], cells);
		this.#cells[i] = cells;
		const trace = {
			...rowStep(says[1 + i], tokens[1 + i], row.push(tokens[1 + i]), this.#texts.of),
			...compare(says[shadow], says[1 + i], this.#texts.of),
			bill: cache.bill()
		};
		return { trace, diff, verbs: cache.takeRecords() };
	}

	/** A row has said its last word. It goes on being fed, so what probes look at is set aside. */
	#end(row: number): void {
		this.#rows[row].ended = true;
		const { sources } = this.#p;
		if (row === 0) {
			sources.reference = sources.reference.fork();
			return;
		}
		sources.arms[row - 1] = sources.arms[row - 1].fork();
		sources.shadows[row - 1] = sources.shadows[row - 1].fork();
	}

	#outcomes(): { outcomes?: { reference: TaskOutcome; arms: TaskOutcome[] } } {
		const { task } = this.#p.plan;
		// A story has no right answer, and forced tokens are nobody's answer.
		if (!task?.answer.trim() || this.#p.plan.forced) return {};
		const [reference, ...arms] = this.#rows.slice(0, 1 + this.#p.arms.length).map((row) => scoreAnswer(task, row.text));
		return { outcomes: { reference, arms } };
	}

	/** What a picture asks for beyond the trace; null when it was not recorded. Throws RangeError for what does not exist. */
	async probe<R extends ProbeRequest>(request: R): Promise<ProbeOf<R> | null> {
		if (NEEDS_RECORD.includes(request.kind) && !this.#p.record) return null;
		return takeProbe(this.#p.sources, request) as Probe as ProbeOf<R>;
	}

	/** The result document of the run so far. */
	result(): Result {
		return makeResult(this.trace, this.#logits);
	}

	dispose(): void {
		this.#broken = true;
		this.#memory.dispose();
	}
}

const NEEDS_RECORD: readonly ProbeRequest['kind'][] = ['attention', 'heads', 'token', 'lost', 'types'];

/** Cells whose state has changed. */
function difference(step: number, before: Uint8Array, after: Uint8Array): CellDiff {
	const cells: number[] = [];
	for (let i = 0; i < after.length; i++) if (before[i] !== after[i]) cells.push(i);
	return { step, cells: Uint32Array.from(cells), states: Uint8Array.from(cells, (i) => after[i]) };
}
