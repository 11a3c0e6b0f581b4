/** The lab behind messages. Free of thread code, so that a test can serve it over any channel. */
import { transfer } from 'comlink';
import { Lab } from '$lib/lab/lab.ts';
import type { Run } from '$lib/lab/run.ts';
import { measureAgain } from '$lib/lab/sweep/again.ts';
import { buffersOf } from '$lib/lab/update.ts';
import type { LabService } from './protocol.ts';
import { breathe, JobQueue } from './queue.ts';
import { weigh } from './weigh.ts';

export function makeService(load: typeof Lab.load = Lab.load): LabService {
	const queue = new JobQueue();
	let lab: Lab | null = null;
	let run: Run | null = null;
	let lost: (reason: string) => void = () => {};

	const theRun = (): Run => {
		if (!run) throw new Error('Nothing is running yet: start an experiment first.');
		return run;
	};
	const endRun = () => {
		run?.dispose();
		run = null;
	};

	return {
		load: (modelId, engine, onProgress) => queue.run(async (signal) => {
			endRun();
			lab?.dispose();
			lab = null;
			// Callbacks come by another channel than answers: wait until each has been heard.
			const heard: unknown[] = [];
			lab = await load(modelId, engine, (progress) => heard.push(onProgress(progress)), signal);
			await Promise.all(heard);
			void lab.lost.then((reason) => lost(reason));
			return { model: lab.model, engine: lab.engine, load: lab.loadMs };
		}),
		start: (experiment) => queue.run(async (signal) => {
			if (!lab) throw new Error('No model is loaded yet.');
			endRun();
			run = await lab.start(experiment, {
				record: true, signal,
				// Lets an abort in, and ends the prompt there: a long one need not be read to its end.
				pause: async () => {
					await breathe();
					signal.throwIfAborted();
				}
			});
			// A copy: what is transferred is gone here, and the run goes on with its own.
			const trace = structuredClone(run.trace);
			return transfer(trace, buffersOf(trace));
		}),
		advance: (steps, onStep) => queue.run(async (signal) => {
			const current = theRun();
			await current.advance(steps, async (update) => {
				const copy = structuredClone(update);
				await onStep(transfer(copy, buffersOf(copy)));
				await breathe();
			}, signal);
			return current.trace.done;
		}),
		probe: (request) => queue.run(async () => {
			// A copy: probes may share arrays with the run.
			const probe = structuredClone(await theRun().probe(request));
			return probe && transfer(probe, buffersOf(probe));
		}),
		result: () => queue.run(async () => theRun().result()),
		measure: (cell) => queue.run(async (signal) => {
			if (!lab) throw new Error('No model is loaded yet.');
			return measureAgain(lab, cell, signal);
		}),
		weigh: (request) => weigh(request),
		abort: () => queue.abort(),
		dispose: () => queue.run(async () => {
			endRun();
			lab?.dispose();
			lab = null;
		}),
		onDeviceLost(report) {
			lost = report;
		}
	};
}
