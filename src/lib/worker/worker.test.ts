import { expose } from 'comlink';
import { afterEach, describe, expect, it } from 'vitest';
import { exampleTrace } from '$lib/documents/example.ts';
import type { Experiment } from '$lib/documents/experiment.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import type { ArmStepTrace, Trace } from '$lib/documents/trace.ts';
import type { Lab } from '$lib/lab/lab.ts';
import type { StepUpdate } from '$lib/lab/update.ts';
import { LabClient, LabError, type Connection } from './client.ts';
import { JobQueue } from './queue.ts';
import { makeService } from './service.ts';

/** A lab that replays the example trace, one step at a time, and can be told to misbehave. */
function fakeLab(full: Trace, behave: { hang?: boolean; lost?: Promise<string> }): typeof Lab.load {
	const load = async (_id: string, _engine: unknown, onProgress?: (p: { loaded: number; total: number; what: string }) => void) => {
		onProgress?.({ loaded: 50, total: 100, what: 'weights' });
		return {
			model: full.model, engine: full.engine, loadMs: 1, lost: behave.lost ?? new Promise(() => {}), dispose() {},
			async start(experiment: Experiment) {
				if (experiment.model === 'wrong') throw new DocumentError('model', 'expected a model');
				const trace: Trace = structuredClone({ ...full, done: false });
				trace.reference.steps = [];
				trace.arms[0].steps = [];
				let at = 0;
				return {
					trace, dispose() {},
					async advance(steps: number, onStep?: (u: StepUpdate) => Promise<void>, signal?: AbortSignal) {
						for (let i = 0; i < steps && at < 3; i++) {
							signal?.throwIfAborted();
							if (behave.hang) await new Promise(() => {});
							const update = {
								step: at, reference: full.reference.steps[at],
								arms: [{ trace: full.arms[0].steps[at] as ArmStepTrace, diff: full.arms[0].diffs[at] ?? { step: at, cells: new Uint32Array(0), states: new Uint8Array(0) }, verbs: [] }],
								referenceBytes: 96, texts: { reference: 'r'.repeat(at + 1), arms: ['a'.repeat(at + 1)] }, timings: full.timings, done: at === 2
							};
							at++;
							trace.done = update.done;
							await onStep?.(update);
						}
					},
					async probe() {
						return { kind: 'spectrum', keyBefore: Float32Array.of(1, 2) };
					},
					result: () => ({ version: 1 })
				};
			}
		};
	};
	return load as unknown as typeof Lab.load;
}

const opened: { client: LabClient; ports: MessagePort[] }[] = [];
function connect(behave: { hang?: boolean; lost?: Promise<string>; patience?: number } = {}) {
	const { port1, port2 } = new MessageChannel();
	expose(makeService(fakeLab({ ...exampleTrace(), arms: [{ ...exampleTrace().arms[0], verbs: [] }] }, behave)), port1 as never);
	port1.start?.();
	let crash: (reason: string) => void = () => {};
	const connection: Connection = {
		endpoint: port2 as never, terminate() {}, onCrash: (report) => (crash = report)
	};
	port2.start?.();
	const client = new LabClient({ connect: () => connection, patience: behave.patience });
	opened.push({ client, ports: [port1, port2] });
	return { client, crash: (reason: string) => crash(reason) };
}
afterEach(() => {
	for (const { client, ports } of opened.splice(0)) {
		client.dispose();
		for (const port of ports) port.close();
	}
});

const experiment = exampleTrace().experiment;

describe('JobQueue', () => {
	it('runs jobs in order, goes on after a failure, and lets an abort overtake', async () => {
		const queue = new JobQueue();
		const seen: string[] = [];
		let begin = () => {};
		const begun = new Promise<void>((resolve) => (begin = resolve));
		const slow = queue.run(async (signal) => {
			begin();
			while (!signal.aborted) await new Promise((r) => setTimeout(r));
			seen.push('slow');
			signal.throwIfAborted();
		});
		const waiting = queue.run(async () => void seen.push('waiting'));
		await begun;
		queue.abort();
		const later = queue.run(async () => void seen.push('later'));
		await expect(slow).rejects.toMatchObject({ name: 'AbortError' });
		await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
		await later;
		expect(seen).toEqual(['slow', 'later']);
	});
});

describe('LabClient', () => {
	it('loads with progress, runs, and holds the same trace as the lab', async () => {
		const { client } = connect();
		const progress: number[] = [];
		const loaded = await client.load('tiny', {}, (p) => progress.push(p.loaded));
		expect(loaded.model.id).toBe('tiny');
		expect(progress).toEqual([50]);
		expect(() => client.trace).toThrow(/Nothing is running/);
		const heard: (number | null)[] = [];
		client.subscribe((_trace, update) => heard.push(update?.step ?? null));
		await client.start(experiment);
		expect(await client.advance(2)).toBe(false);
		expect(await client.advance(5)).toBe(true);
		expect(heard).toEqual([null, 0, 1, 2]);
		const wanted = exampleTrace();
		expect(client.trace.arms[0].steps).toEqual(wanted.arms[0].steps);
		expect(client.trace.reference.text).toBe('rrr');
		expect(client.trace.done).toBe(true);
		expect((await client.probe({ kind: 'spectrum', arm: 0, layer: 0, head: 0 }))?.keyBefore).toEqual(Float32Array.of(1, 2));
		expect(await client.result()).toEqual({ version: 1 });
	});

	it('stops between steps when aborted', async () => {
		const { client } = connect();
		await client.load('tiny');
		await client.start(experiment);
		const running = client.advance(3, () => client.abort());
		await expect(running).rejects.toMatchObject({ name: 'AbortError' });
		expect(client.trace.arms[0].steps.length).toBeLessThan(3);
		expect(await client.advance(5)).toBe(true);
	});

	it('says what is wrong with a document', async () => {
		const { client } = connect();
		await client.load('tiny');
		await expect(client.start({ ...experiment, model: 'wrong' })).rejects.toMatchObject({ name: 'LabError', kind: 'document', message: 'model: expected a model' });
	});

	it('turns a crash, silence and a lost device into sentences', async () => {
		const crashing = connect({ hang: true });
		await crashing.client.load('tiny');
		await crashing.client.start(experiment);
		const running = crashing.client.advance(1);
		crashing.crash('out of memory');
		await expect(running).rejects.toThrow(/stopped unexpectedly \(out of memory\)/);
		await expect(crashing.client.result()).rejects.toBeInstanceOf(LabError);

		const silent = connect({ hang: true, patience: 50 });
		await silent.client.load('tiny');
		await silent.client.start(experiment);
		await expect(silent.client.advance(1)).rejects.toThrow(/not answered for/);

		let lose: (reason: string) => void = () => {};
		const losing = connect({ hang: true, lost: new Promise((resolve) => (lose = resolve)) });
		await losing.client.load('tiny');
		await losing.client.start(experiment);
		const waiting = losing.client.advance(1);
		lose('driver reset');
		await expect(waiting).rejects.toMatchObject({ kind: 'device', message: expect.stringMatching(/driver reset/) });
	});
});
