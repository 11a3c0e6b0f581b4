/** The result document of the command line, from a trace. Numbers in full precision. */
import type { Experiment, ReportPart } from '$lib/documents/experiment.ts';
import type { ByteMatch } from '$lib/documents/match.ts';
import type { Bill, BillItem, EngineInfo, TaskOutcome, Timings, Trace } from '$lib/documents/trace.ts';

export interface BillResult {
	total: number;
	fast: number;
	items: Record<BillItem, number>;
	ratio: number;
	bitsPerNumber: number;
}

export interface ArmResult {
	label: string;
	tokens: number[];
	text: string;
	steps?: { kl: number; agrees: boolean; nll: number }[];
	/** At the end of the run. */
	bill?: BillResult;
	billAfterPrompt?: BillResult;
	/** Logical positions alive after the last compression of the prompt: [layer][KV head]. */
	kept?: number[][][];
	/** What `matchBytes` found. */
	matched?: ByteMatch;
	task?: TaskOutcome;
	/** [steps][vocab] */
	logits?: number[][];
}

export interface Result {
	version: 1;
	experiment: Experiment;
	engine: EngineInfo;
	model: { id: string; weights: number; layers: number; kvHeads: number; headDim: number };
	prompt: { tokens: number };
	reference: {
		tokens: number[];
		text: string;
		nll: number[];
		/** Of the full cache at the end. */
		bytes: { fp16: number };
		task?: TaskOutcome;
		logits?: number[][];
	};
	arms: ArmResult[];
	timings: Timings;
}

/** Logits of every step, where the report wants them. */
export interface RecordedLogits {
	reference: Float32Array[];
	arms: Float32Array[][];
}

function billResult({ total, fast, items, ratio, bitsPerNumber }: Bill): BillResult {
	return { total, fast, items, ratio, bitsPerNumber };
}

export function makeResult(trace: Trace, logits: RecordedLogits): Result {
	const wants = (part: ReportPart) => trace.experiment.report.includes(part);
	const { id, weights, layers, kvHeads, headDim } = trace.model;
	const { reference } = trace;
	return {
		version: 1,
		experiment: trace.experiment,
		engine: trace.engine,
		model: { id, weights, layers, kvHeads, headDim },
		prompt: { tokens: trace.prompt.ids.length },
		reference: {
			tokens: reference.steps.map((step) => step.token),
			text: reference.text,
			nll: reference.steps.map((step) => step.nll),
			bytes: { fp16: reference.bytes },
			...(reference.task ? { task: reference.task } : {}),
			...(wants('logits') ? { logits: logits.reference.map((row) => Array.from(row)) } : {})
		},
		arms: trace.arms.map((arm, i): ArmResult => ({
			label: arm.label,
			tokens: arm.steps.map((step) => step.token),
			text: arm.text,
			...(wants('steps') ? { steps: arm.steps.map(({ kl, agrees, nll }) => ({ kl, agrees, nll })) } : {}),
			...(wants('bill') ? { bill: billResult(arm.steps.at(-1)?.bill ?? arm.billAfterPrompt), billAfterPrompt: billResult(arm.billAfterPrompt) } : {}),
			...(wants('kept') ? { kept: arm.kept } : {}),
			...(arm.matched ? { matched: arm.matched } : {}),
			...(arm.task ? { task: arm.task } : {}),
			...(wants('logits') ? { logits: logits.arms[i].map((row) => Array.from(row)) } : {})
		})),
		timings: trace.timings
	};
}
