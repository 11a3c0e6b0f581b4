/** One contestant, timed where it runs. */
import { expose, transfer } from 'comlink';
import type { Contestant, Detail, Filling, Job, Opened, Step } from './contestant.ts';
import { counted, type Counts } from './counters.ts';

/** What is done once: a prompt is read, or one token is decoded. */
export type Task = { prefill: number[] } | { step: Step };

export interface Visit {
	/** Milliseconds of each turn. */
	times: number[];
	/** Milliseconds of JavaScript, where that can be told. */
	encodes: number[];
}

const KINDS: Record<string, () => Promise<new () => Contestant>> = {
	ours: async () => (await import('./ours.ts')).Ours,
	stock: async () => (await import('./stock.ts')).Stock,
	ort: async () => (await import('../peers/ort.ts')).OnnxRuntime,
	transformers: async () => (await import('../peers/transformers.ts')).TransformersJs,
	replay: async () => (await import('./replay.ts')).Replay,
	attention: async () => (await import('./attention.ts')).Attention,
	nanogpt: async () => (await import('../peers/nanogpt.ts')).NanoGpt
};

let contestant: Contestant;

const run = (task: Task) => ('prefill' in task ? contestant.prefill(task.prefill) : contestant.step(task.step));

const api = {
	async open(job: Job): Promise<Opened> {
		contestant = new (await KINDS[job.kind]())();
		return contestant.open(job);
	},
	fill: (filling: Filling) => contestant.fill(filling),
	/** The answer itself, to compare. */
	async answer(task: Task): Promise<Float32Array> {
		const logits = (await run(task)).logits.slice();
		return transfer(logits, [logits.buffer]);
	},
	async visit(task: Task, turns: number): Promise<Visit> {
		const visit: Visit = { times: [], encodes: [] };
		for (let turn = 0; turn < turns; turn++) {
			const from = performance.now();
			const { encode } = await run(task);
			visit.times.push(performance.now() - from);
			if (encode !== undefined) visit.encodes.push(encode);
		}
		return visit;
	},
	detail: async (): Promise<Detail[]> => (await contestant.detail?.()) ?? [],
	/** What a turn asks of WebGPU, and how long it took while that was counted. */
	async count(task: Task): Promise<{ counts: Counts | null; time: number }> {
		const from = performance.now();
		const counts = await counted(() => run(task));
		return { counts, time: performance.now() - from };
	}
};

export type Api = typeof api;
expose(api);
