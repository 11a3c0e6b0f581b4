/** Runs the kernels: the pages of each segment, then the merge with what was read before it. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { profile } from '../profile.ts';
import { flat, runProgram, type Kernel } from '../program.ts';
import { formatName } from './format.ts';
import type { PackedAttrs } from './index.ts';
import { mergeLog, mergeOut, shares, type BaseForm } from './merge.wgsl.ts';
import { planOf, profileFor, type PackedPlan } from './plan.ts';
import type { PackedSegment } from './pool.ts';
import { partWidth, readPages } from './read-pages.wgsl.ts';
import { readsShared, readShared } from './shared.wgsl.ts';

interface Part {
	segment: PackedSegment;
	plan: PackedPlan;
	/** Sums, peaks and denominators. */
	parts: TensorInfo;
	/** Scores, where wanted: raw ones behind the parts, from number `scoresAt` on, or a tensor of blocks of them. */
	scores: TensorInfo | null;
	table: TensorInfo;
	ints: Record<string, number>;
}

/** What was read so far: apart, or as rows of headDim + 1. */
type Base = { out: TensorInfo; log: TensorInfo } | { together: TensorInfo };

export function webgpu(backend: WebGPUBackend, inputs: Inputs, attrs: Attrs): TensorInfo[] {
	const { segments, probabilities, outOnly } = attrs as unknown as PackedAttrs;
	const { query, together, logSumExp } = inputs;
	let base: Base | null = together ? { together } : inputs.out ? { out: inputs.out, log: logSumExp } : null;
	let made: TensorInfo[] = [];
	const done = segments.map((segment, i): Part => {
		const part = read(backend, query, segment, inputs[`pool${i}`], inputs[`table${i}`], probabilities);
		const last = i === segments.length - 1;
		const out = mergedOut(backend, part, query.shape, base);
		const log = last && outOnly ? [] : [mergedLog(backend, part, query.shape, base)];
		for (const { dataId } of made) backend.disposeData(dataId);
		made = [out, ...log];
		base = { out, log: log[0] };
		return part;
	});
	const shares = probabilities ? done.map((part) => sharesOf(backend, part, query.shape, made[1])) : [];
	for (const tensor of new Set(done.flatMap(({ parts, scores }) => [parts, scores ?? parts]))) backend.disposeData(tensor.dataId);
	return [...made, ...shares];
}

/** Sums over the pages of one segment. */
function read(backend: WebGPUBackend, query: TensorInfo, segment: PackedSegment, pool: TensorInfo, table: TensorInfo, withScores: boolean): Part {
	const [batch, heads, tokens, headDim] = query.shape;
	const { format, kvHeads, rows, slots, used } = segment;
	const form = profileFor(profile());
	const plan = planOf(format, heads / kvHeads, form);
	const inputs: Kernel['inputs'] = [['q', query], ['pool', pool], ['table', table]];
	const shape = { batch, allHeads: batch * kvHeads, heads, kvHeads, tokens, slots };
	if (profile() === 'software' && readsShared(plan)) {
		// Unparted: what the merge is told makes one part of all slots.
		const ints = { ...shape, splits: 1, ahead: slots, scoresAt: 0 };
		return { segment, plan, table, ints, ...readShared(backend, plan, inputs, shape, rows, used) };
	}
	// A pass of many tokens has workgroups enough without parting the pages.
	const ahead = plan.pages * (tokens > 4 ? Math.ceil(slots / plan.pages) : form.tiles);
	// As many as the table has room for, so that the tensor keeps its size while pages are added.
	const splits = Math.ceil(slots / ahead);
	const scoresAt = rows * heads * tokens * splits * partWidth(headDim);
	const ints = { ...shape, splits, ahead, scoresAt };
	const parts = runProgram(backend, {
		key: `packed_${formatName(format)}_${plan.queries}_${plan.chunks}_${plan.pages}_${plan.threads}_${withScores}`,
		inputs,
		result: [scoresAt + (withScores ? rows * heads * tokens * slots * format.rows : 0)],
		ints,
		floats: { scale: 1 / Math.sqrt(headDim) },
		groups: [Math.ceil(used / ahead), kvHeads * plan.chunks, rows * tokens],
		threads: plan.threads,
		code: () => readPages(plan, withScores)
	});
	return { segment, plan, parts, scores: withScores ? parts : null, table, ints };
}

/** Bindings for what was read before, and the name of the source that goes with them. */
function before(base: Base | null, withOut: boolean): { bindings: Kernel['inputs']; form: BaseForm } {
	if (!base) return { bindings: [], form: 'none' };
	if ('together' in base) return { bindings: [['base', base.together]], form: 'together' };
	return { bindings: [['logs', base.log], ...(withOut ? [['base', base.out] as Kernel['inputs'][number]] : [])], form: 'apart' };
}

function mergedOut(backend: WebGPUBackend, { parts, table, ints }: Part, shape: number[], base: Base | null): TensorInfo {
	const headDim = shape[3];
	const { bindings, form } = before(base, true);
	const size = shape.reduce((a, b) => a * b, 1);
	return runProgram(backend, flat({
		key: `packed_out_${headDim}_${form}`, inputs: [['parts', parts], ['table', table], ...bindings], result: shape,
		ints, size, body: () => mergeOut(headDim, form)
	}));
}

function mergedLog(backend: WebGPUBackend, { parts, table, ints }: Part, [batch, heads, tokens, headDim]: number[], base: Base | null): TensorInfo {
	const { bindings, form } = before(base, false);
	const size = batch * heads * tokens;
	return runProgram(backend, flat({
		key: `packed_log_${headDim}_${form}`, inputs: [['parts', parts], ['table', table], ...bindings], result: [batch, heads, tokens],
		ints, size, body: () => mergeLog(headDim, form)
	}));
}

function sharesOf(backend: WebGPUBackend, { segment, parts, scores, table, ints }: Part, shape: number[], log: TensorInfo): TensorInfo {
	const [batch, heads, tokens] = shape;
	const { rows } = segment.format;
	const places = segment.slots * rows;
	const inBlocks = scores !== parts;
	const size = batch * heads * tokens * places;
	return runProgram(backend, flat({
		key: `packed_shares_${rows}_${inBlocks}`, inputs: [['scores', scores!], ['table', table], ['logs', log]], result: [batch, heads, tokens, places],
		ints, size, body: () => shares(rows, inBlocks)
	}));
}
