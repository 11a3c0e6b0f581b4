/** Runs a group in turns: A B C, C B A, A B C, … so that what disturbs a round disturbs everybody. */
import type { Browser } from '@playwright/test';
import type { Counts } from '../page/counters.ts';
import type { Detail, Opened } from '../page/contestant.ts';
import type { Task } from '../page/worker.ts';
import { openPage, type BenchOnPage } from './browser.ts';
import type { GroupPlan, Line, MeasurePlan } from './plan.ts';
import { difference, median } from './stats.ts';

export interface LineResult {
	worker: string;
	label: string;
	/** Milliseconds of a turn in each round: the median of the turns of that visit. */
	rounds: number[];
	/** Milliseconds of JavaScript, the same way; empty where that cannot be told. */
	encodes: number[];
	/** What one turn asked of WebGPU. */
	counts?: Counts;
	/** Largest difference of a logit from the reference, relative to its largest; and whether that was required to be small. */
	difference?: number;
	check?: Line['check'];
	/** Why it was not measured. */
	failed?: string;
}

export interface MeasureResult {
	title: string;
	/** Label of the line that the logits were compared with. */
	reference?: string;
	lines: LineResult[];
}

export interface GroupResult {
	name: string;
	title: string;
	backend: 'webgpu' | 'wasm';
	config: GroupPlan['config'];
	workers: { id: string; label: string; opened?: Opened; failed?: string }[];
	measures: MeasureResult[];
	/** Where the time of a step of ours goes, kernel by kernel. */
	details?: Detail[];
	/** Processes that waited for a core when it began, a core; not noted in the first runs. */
	load?: number;
	/** What was measured: the commit that was checked out. */
	commit: string;
}

export interface MeasureOptions {
	address: string;
	/** Milliseconds that a visit should take. */
	visit: number;
	say(text: string): void;
}

const TOKEN = 7;
const message = (error: unknown) => (error as Error).message.replace(/^page\.evaluate: (Error: )?/, '').split('\n')[0];
const promptOf = (count: number) => Array.from({ length: count }, (_, i) => 2 + ((i * 37) % 250));

export async function measureGroup(browser: Browser, group: GroupPlan, options: MeasureOptions): Promise<Omit<GroupResult, 'load' | 'commit'>> {
	const { page, bench } = await openPage(browser, options.address);
	try {
		const workers: GroupResult['workers'] = [];
		for (const { id, label, kind, options: given } of group.workers) {
			options.say(`  opening ${label}`);
			const job = { kind, backend: group.backend, model: `${options.address}/models/${group.model}`, threads: group.threads, ...(given ? { options: given } : {}) };
			workers.push(await bench.open(id, job).then((opened) => ({ id, label, opened }), (error) => ({ id, label, failed: message(error) })));
		}
		const there = new Set(workers.filter(({ opened }) => opened).map(({ id }) => id));
		const measures: MeasureResult[] = [];
		for (const measure of group.measures) measures.push(await runMeasure(bench, measure, there, options));
		const details = there.has('replay') ? await bench.detail('replay') : [];
		return { name: group.name, title: group.title, backend: group.backend, config: group.config, workers, measures, ...(details.length > 0 ? { details } : {}) };
	} finally {
		await page.close();
	}
}

async function runMeasure(bench: BenchOnPage, { title, lines, rounds, reference }: MeasurePlan, there: Set<string>, options: MeasureOptions): Promise<MeasureResult> {
	options.say(`  ${title}`);
	const running = lines.map((line) => ({
		line, task: taskOf(line), turns: 1, rounds, logits: null as number[] | null,
		result: { worker: line.worker, label: line.label, rounds: [], encodes: [], ...(line.check ? { check: line.check } : {}) } as LineResult
	}));
	type Running = (typeof running)[number];
	const guarded = async (each: Running, run: () => Promise<void>) => {
		if (each.result.failed) return;
		await run().catch((error) => {
			each.result.failed = message(error);
			options.say(`    ${each.line.label}: ${each.result.failed}`);
		});
	};
	for (const each of running) {
		if (!there.has(each.line.worker)) each.result.failed = 'it could not be opened';
		await guarded(each, async () => {
			if (each.line.filling) await bench.fill(each.line.worker, each.line.filling);
			// The first turn compiles; its answer is compared. The second is counted.
			each.logits = await bench.answer(each.line.worker, each.task);
			const { counts, time } = await bench.count(each.line.worker, each.task);
			if (counts && counts.dispatches > 0) each.result.counts = counts;
			// Short turns warm up further, and are repeated; long ones take part in fewer rounds.
			if (time < options.visit) each.turns = Math.max(1, Math.min(20, Math.round(options.visit / median((await bench.visit(each.line.worker, each.task, 3)).times))));
			if (time > 5 * options.visit) each.rounds = Math.min(rounds, time > 20 * options.visit ? 2 : 3);
		});
	}
	for (let round = 0; round < rounds; round++) {
		for (const each of round % 2 ? running.toReversed() : running) {
			if (round < each.rounds) await guarded(each, async () => {
				const { times, encodes } = await bench.visit(each.line.worker, each.task, each.turns);
				each.result.rounds.push(median(times));
				if (encodes.length > 0) each.result.encodes.push(median(encodes));
			});
		}
	}
	const right = reference === undefined ? null : running[reference];
	if (right?.logits) {
		for (const each of running) if (each.logits && each.line.check) each.result.difference = difference(each.logits, right.logits);
	}
	return { title, ...(right ? { reference: right.line.label } : {}), lines: running.map(({ result }) => result) };
}

function taskOf({ prefill, step }: Line): Task {
	return prefill ? { prefill: promptOf(prefill) } : { step: { id: TOKEN, ...step } };
}
