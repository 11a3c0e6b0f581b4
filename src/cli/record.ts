/** A run as a file for the page: its trace and as many probes as fit, the likeliest to be looked at first. */
import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { firstLook } from '$lib/documents/read.ts';
import { writeRecording } from '$lib/documents/recording.ts';
import { probeKey, type Probe, type ProbeRequest, type Trace } from '$lib/documents/trace.ts';
import type { Run } from '$lib/lab/run.ts';
import { onlyOptions, readArguments, UsageError } from './arguments.ts';
import { perform } from './run.ts';

/** Bytes of the file when nothing else is asked for. */
const SIZE = 1_900_000;
/** Share of it that the trace may take before decisions are left out. */
const FOR_TRACE = 0.4;
const PROBE_KINDS = ['attention', 'heads', 'lost', 'types', 'matrix', 'spectrum'];

/** `attention:2:1,spectrum:2:0`, kind:layer:head (heads, lost and types: only the kind), for every arm; matrices in all forms. */
export function readProbes(list: string, trace: Trace): ProbeRequest[] {
	return list.split(',').filter(Boolean).flatMap((item) => {
		const [kind, ...numbers] = item.split(':');
		const [layer, head] = numbers.map(Number);
		const whole = ['heads', 'lost', 'types'].includes(kind) ? numbers.length === 0 : numbers.length === 2 && numbers.every((x) => /^\d+$/.test(x));
		if (!PROBE_KINDS.includes(kind) || !whole) {
			throw new UsageError(`"${item}" is no probe; expected kind:layer:head with a kind of ${PROBE_KINDS.join(', ')} (heads, lost and types alone)`);
		}
		if (kind === 'types') return [{ kind }];
		return trace.arms.flatMap((_, arm): ProbeRequest[] => {
			if (kind === 'lost') return [{ kind, arm }];
			if (kind === 'attention') return [{ kind, arm, layer, queryHead: head }];
			if (kind === 'heads') return headsProbes(trace, arm);
			return kind === 'spectrum' ? [{ kind, arm, layer, head }] : matrixProbes(arm, layer, head);
		});
	});
}

/** First and last step. */
function headsProbes(trace: Trace, arm: number): ProbeRequest[] {
	const last = trace.arms[arm].steps.length - 1;
	return last < 0 ? [] : [...new Set([last, 0])].map((step) => ({ kind: 'heads', arm, step }));
}

function matrixProbes(arm: number, layer: number, head: number): ProbeRequest[] {
	return [
		{ kind: 'matrix', arm, layer, head, which: 'K', rope: 'after' }, { kind: 'matrix', arm, layer, head, which: 'K', rope: 'before' },
		{ kind: 'matrix', arm, layer, head, which: 'V', rope: 'after' }
	];
}

/** All probes worth having, the likeliest to be asked for first: what a page opens with, then its neighbours. */
export function probesByInterest(trace: Trace): ProbeRequest[] {
	const { layers, heads, kvHeads } = trace.model;
	const { layer, head } = firstLook(trace);
	const group = heads / kvHeads;
	const arms = trace.arms.map((_, arm) => arm);
	const encoding = arms.filter((arm) => trace.arms[arm].verbs.some(({ verb }) => verb === 'encode' || verb === 'project'));
	const nearLayers = Array.from({ length: layers }, (_, i) => i).sort((a, b) => Math.abs(a - layer) - Math.abs(b - layer));
	const nearHeads = Array.from({ length: kvHeads }, (_, i) => i).sort((a, b) => Number(b === head) - Number(a === head));
	const attention = (l: number, h: number) => Array.from({ length: group }, (_, i) => i)
		.flatMap((i) => arms.map((arm): ProbeRequest => ({ kind: 'attention', arm, layer: l, queryHead: h * group + i })));
	return [
		...attention(layer, head),
		...arms.map((arm): ProbeRequest => ({ kind: 'lost', arm })), { kind: 'types' },
		...arms.flatMap((arm) => headsProbes(trace, arm)),
		...encoding.flatMap((arm) => matrixProbes(arm, layer, head)),
		...arms.flatMap((arm) => nearLayers.flatMap((l) => nearHeads.map((h): ProbeRequest => ({ kind: 'spectrum', arm, layer: l, head: h })))),
		...nearHeads.slice(1).flatMap((h) => [...attention(layer, h), ...encoding.flatMap((arm) => matrixProbes(arm, layer, h))])
	];
}

/** Without the scores of what methods decided while generating, but for the layer that is looked at first. */
function thinned(trace: Trace): Trace {
	const { layer } = firstLook(trace);
	return {
		...trace,
		arms: trace.arms.map((arm) => ({
			...arm,
			verbs: arm.verbs.map((record) => {
				if (record.step < 0 || record.layer === layer) return record;
				const { decision: _decision, ...rest } = record;
				return rest;
			})
		}))
	};
}

/** The recording as text, at most `size` bytes with the probes that fit; probes asked for by name are all taken. */
export async function makeRecording(run: Run, options: { probes?: string; size?: number; halves?: boolean }): Promise<string> {
	const { size = SIZE, halves = true } = options;
	const whole: Trace = { ...run.trace, provenance: 'recorded' };
	const trace = writeRecording({ trace: whole, probes: {} }, { halves }).length > size * FOR_TRACE ? thinned(whole) : whole;
	const wanted = options.probes === undefined ? probesByInterest(trace) : readProbes(options.probes, trace);
	const probes: Record<string, Probe> = {};
	let left = size - writeRecording({ trace, probes }, { halves }).length;
	for (const request of wanted) {
		const probe = await run.probe(request);
		if (!probe) continue;
		const key = probeKey(request);
		const bytes = writeRecording({ trace: {} as Trace, probes: { [key]: probe } }, { halves }).length;
		if (options.probes === undefined && bytes > left) continue;
		left -= bytes;
		probes[key] = probe;
	}
	return writeRecording({ trace, probes }, { halves });
}

export async function recordFile(args: string[]): Promise<void> {
	const given = readArguments(args, []);
	onlyOptions(given.options, ['backend', 'weights', 'probes', 'size', 'halves']);
	const out = given.words[1];
	if (out === undefined || given.words.length > 2) throw new UsageError('record needs two files: the experiment and where to write');
	const size = given.options.has('size') ? Number(given.options.get('size')) : undefined;
	if (size !== undefined && !(size > 0)) throw new UsageError('--size is a number of bytes');
	const written = await perform(given, true, (run) => makeRecording(run, {
		probes: given.options.get('probes'), size, halves: given.options.get('halves') !== 'false'
	}));
	const bytes = out.endsWith('.gz') ? gzipSync(written, { level: 9 }) : Buffer.from(written);
	await writeFile(out, bytes);
	process.stderr.write(`${out}: ${bytes.length} bytes\n`);
}
