/** RESULTS.md from RESULTS.json. */
import type { About } from './browser.ts';
import type { GroupResult, LineResult, MeasureResult } from './measure.ts';
import { wordsOf } from './shapes.ts';
import { ratio, round, spread, words } from './stats.ts';
import { targetsOf } from './targets.ts';

export interface Results {
	/** True when small shapes were run to try the bench out. */
	quick: boolean;
	about: About;
	machine: string;
	versions: Record<string, string>;
	groups: GroupResult[];
	/** Titles of groups for which there was no time. */
	leftOut: string[];
}

export function report(results: Results): string {
	const { quick, about, machine, versions, groups, leftOut } = results;
	const parts = [
		'# What the bench measured',
		'Made by `bash bench/run.sh`; do not edit. `RESULTS.json` has every round.',
		...(quick ? ['**This is a quick run on small models, to try the bench out. Its numbers say nothing.**'] : []),
		`Chromium ${about.chromium} on ${machine}. WebGPU: ${about.adapter ?? 'none'}${about.software ? ' (software)' : ''}. ${about.cores} cores seen by the page, ${about.isolated ? 'cross-origin isolated' : 'not cross-origin isolated, so one thread on WASM'}. ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}.`,
		...(leftOut.length > 0 ? [`Left out for want of time: ${leftOut.join('; ')}.`] : []),
		...(about.software ? ['> **The WebGPU adapter here is software: it computes on the CPU.** It punishes workgroup memory and barriers, which graphics hardware does not, and libraries tuned for hardware suffer most. Ratios between libraries under "WebGPU" below are ratios on this software adapter. They say nothing about a GPU and must not be quoted as a GPU\'s.'] : []),
		'Weights are random, from a seed, and the same numbers for everybody but nanogpt, which is another network. Caches are filled with the same random numbers. A turn ends when the logits are in JavaScript. Contestants live in workers of one page and are measured in turns (A B C, then C B A); a cell is the median of the rounds with the least and the greatest, a ratio the median of the ratios of single rounds. "Same logits" is the largest difference from the reference, relative to its largest logit; at most 1e-3 passes. On the software adapter onnxruntime-web\'s WebGPU prefill of 32 tokens and more gives other logits than its own WASM build, with which stock TensorFlow.js and Winnow agree (it agrees in decoding, and for shorter prompts); so under WebGPU stock TensorFlow.js is the reference.',
		'Winnow\'s turn of decoding is that of its lab: the new token\'s keys and values are read back each step into the cache that methods act on. onnxruntime-web and transformers.js keep theirs on the device; the line "nothing stored or read back" does likewise. onnxruntime-web runs an ONNX graph of the form that exporters write for it (GroupQueryAttention, fused norms, one product for query, key and value).',
		'## Targets', targets(groups, about),
		...groups.flatMap((group) => [`## ${group.title}`, `${wordsOf(group.config)}. ${loadWords(group)}`, ...about_(group), ...group.measures.flatMap((measure) => [`### ${measure.title[0].toUpperCase()}${measure.title.slice(1)}`, table(measure)]), ...detailsOf(group)])
	];
	return `${parts.join('\n\n')}\n`;
}

function targets(groups: GroupResult[], about: About): string {
	const rows = targetsOf(groups, about.software).map(({ what, wanted, got, met, where }) => `| ${what} | ${where} | ${wanted} | ${got} | ${met === null ? '-' : met ? 'met' : '**missed**'} |`);
	if (rows.length === 0) return 'None of the measurements that they are about were run.';
	return [`| what | where${about.software ? ' (WebGPU is software)' : ''} | wanted | measured | |`, '|---|---|---|---|---|', ...rows].join('\n');
}

/** What a group leaves behind counts, too: 1 a core is what the group before it put on. */
const loadWords = ({ load, commit }: GroupResult) => `Measured at commit ${commit}${load === undefined ? '' : `; load when it began: ${load.toFixed(1)} a core${load > 1.3 ? ': **other work shared the machine, so single times are too long and ratios uncertain**' : ''}`}.`;

function about_({ workers }: GroupResult): string[] {
	// A worker that was opened again says the same again.
	return [[...new Set(workers.map(({ label, opened, failed }) => {
		if (!opened) return `- ${label}: could not be opened: ${failed}`;
		const threads = opened.threads === undefined ? '' : `, ${opened.threads} ${opened.threads === 1 ? 'thread' : 'threads'}`;
		return `- ${label}: ${opened.engine}; ${opened.adapter}${threads}${opened.note ? `; ${opened.note}` : ''}`;
	}))].join('\n')];
}

function table({ lines, reference }: MeasureResult): string {
	const first = lines[0];
	const gpu = lines.some(({ counts }) => counts);
	const compared = lines.some(({ difference }) => difference !== undefined);
	const head = ['', 'ms', `times ${first.label}`, ...(lines.some(({ encodes }) => encodes.length > 0) ? ['JavaScript ms'] : []), ...(gpu ? ['dispatches', 'bytes read back', 'bytes written'] : []), ...(compared ? [`same logits as ${reference}`] : [])];
	const rows = lines.map((line) => {
		if (line.failed || line.rounds.length === 0) return [line.label, `not measured: ${line.failed ?? 'nothing came'}`];
		return [
			line.label, words(spread(line.rounds)), line === first || first.rounds.length === 0 ? '' : words(ratio(line.rounds, first.rounds)),
			...(head.includes('JavaScript ms') ? [line.encodes.length > 0 ? round(spread(line.encodes).median) : ''] : []),
			...(gpu ? countsOf(line) : []),
			...(compared ? [sameness(line)] : [])
		];
	});
	return [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Kernels by the time that they take. */
function detailsOf({ details }: GroupResult): string[] {
	return [['step', 'Kernels of a step'], ['prefill', 'Kernels of a prefill of 256 tokens']].flatMap(([wanted, title]) => {
		const rows = (details ?? []).filter(({ of }) => of === wanted).toSorted((a, b) => b.ms - a.ms).map(({ label, dispatches, ms }) => `| \`${label}\` | ${dispatches} | ${round(ms)} |`);
		if (rows.length === 0) return [];
		return [`### ${title}`, 'Each alone, over and over, without a wait between repetitions; so their sum is not the time of the whole.', ['| kernel | dispatches | ms |', '| --- | ---: | ---: |', ...rows].join('\n')];
	});
}

function countsOf({ counts }: LineResult): string[] {
	return counts ? [String(counts.dispatches), counts.bytesRead.toLocaleString('en'), counts.bytesWritten.toLocaleString('en')] : ['', '', ''];
}

function sameness({ difference, check }: LineResult): string {
	if (difference === undefined) return check ? '' : 'not compared';
	const far = difference === 0 ? '0' : difference.toExponential(1);
	return check === 'rounded' ? `${far} (its own rounding)` : `${far}${difference <= 1e-3 ? '' : ' **differs**'}`;
}
