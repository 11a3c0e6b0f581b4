import { readFile, writeFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { Experiment } from '$lib/documents/experiment.ts';
import { writeRecording } from '$lib/documents/recording.ts';
import { parseExperimentText } from '$lib/documents/schema.ts';
import { probeKey, type Probe, type ProbeRequest } from '$lib/documents/trace.ts';
import type { Result } from '$lib/lab/result.ts';
import type { Run } from '$lib/lab/run.ts';
import { onlyOptions, readArguments, UsageError, type Arguments } from './arguments.ts';
import { openLab, readBackend } from './engine.ts';

async function readDocument(file: string | undefined): Promise<Experiment> {
	if (file === undefined) throw new UsageError('which experiment? Give a file, or - for standard input');
	const text = file === '-' ? await readStream(process.stdin) : await readFile(file, 'utf8').catch((error: Error) => {
		throw new UsageError(`${file} cannot be read: ${error.message}`);
	});
	return parseExperimentText(text, { unknown: 'error' }).experiment;
}

/** Runs the document to its end. */
async function perform<T>({ words, options }: Arguments, record: boolean, use: (run: Run) => Promise<T>): Promise<T> {
	const backend = readBackend(options.get('backend'));
	const experiment = await readDocument(words[0]);
	const lab = await openLab(experiment.model, backend);
	try {
		const run = await lab.start(experiment, { record });
		await run.advance();
		return await use(run);
	} finally {
		lab.dispose();
	}
}

export async function runFile(args: string[]): Promise<Result> {
	const given = readArguments(args, []);
	onlyOptions(given.options, ['backend']);
	if (given.words.length > 1) throw new UsageError('one experiment at a time');
	return perform(given, false, async (run) => run.result());
}

const PROBE_KINDS = ['attention', 'heads', 'matrix', 'spectrum'];

/** `attention:2:1,spectrum:2:0`, kind:layer:head (heads: only the kind), for every arm; matrices in all four forms. */
export function readProbes(list: string, arms: number, lastStep: number): ProbeRequest[] {
	return list.split(',').filter(Boolean).flatMap((item) => {
		const [kind, ...numbers] = item.split(':');
		const [layer, head] = numbers.map(Number);
		const whole = kind === 'heads' ? numbers.length === 0 : numbers.length === 2 && numbers.every((x) => /^\d+$/.test(x));
		if (!PROBE_KINDS.includes(kind) || !whole) {
			throw new UsageError(`"${item}" is no probe; expected kind:layer:head with a kind of ${PROBE_KINDS.join(', ')} (heads alone)`);
		}
		return Array.from({ length: arms }, (_, arm): ProbeRequest[] => {
			if (kind === 'attention') return [{ kind, arm, layer, queryHead: head }];
			if (kind === 'heads') return [...new Set([0, lastStep])].map((step) => ({ kind, arm, step }));
			if (kind === 'spectrum') return [{ kind, arm, layer, head }];
			return (['K', 'V'] as const).flatMap((which) => (which === 'K' ? ['before', 'after'] as const : ['after'] as const)
				.map((rope): ProbeRequest => ({ kind: 'matrix', arm, layer, head, which, rope })));
		}).flat();
	});
}

/** The first layer, head 0: what a page shows before anything is chosen. */
const DEFAULT_PROBES = 'attention:0:0,matrix:0:0,spectrum:0:0';

export async function recordFile(args: string[]): Promise<void> {
	const given = readArguments(args, []);
	onlyOptions(given.options, ['backend', 'probes', 'halves']);
	const out = given.words[1];
	if (out === undefined || given.words.length > 2) throw new UsageError('record needs two files: the experiment and where to write');
	const written = await perform(given, true, async (run) => {
		const probes: Record<string, Probe> = {};
		const list = given.options.get('probes') ?? DEFAULT_PROBES;
		for (const request of readProbes(list, run.trace.arms.length, Math.max(0, run.trace.arms[0]?.steps.length - 1))) {
			const probe = await run.probe(request);
			if (probe) probes[probeKey(request)] = probe;
		}
		return writeRecording({ trace: { ...run.trace, provenance: 'recorded' }, probes }, { halves: given.options.get('halves') !== 'false' });
	});
	const bytes = out.endsWith('.gz') ? gzipSync(written, { level: 9 }) : Buffer.from(written);
	await writeFile(out, bytes);
	process.stderr.write(`${out}: ${bytes.length} bytes\n`);
}
