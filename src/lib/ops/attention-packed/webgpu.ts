/** Runs the kernels: the pages of each segment, then the merge with what was read before it. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Attrs, Inputs } from '../kernel.ts';
import { profile } from '../profile.ts';
import { flatGroups, runProgram, type Kernel } from '../program.ts';
import { formatName } from './format.ts';
import type { PackedAttrs } from './index.ts';
import { mergeLog, mergeOut, shares, THREADS } from './merge.wgsl.ts';
import { planOf, profileFor, type PackedPlan } from './plan.ts';
import type { PackedSegment } from './pool.ts';
import { partWidth, readPages } from './read-pages.wgsl.ts';

interface Part {
	segment: PackedSegment;
	plan: PackedPlan;
	/** Sums, peaks and denominators; raw scores behind them from `scoresAt`, where wanted. */
	parts: TensorInfo;
	table: TensorInfo;
	ints: Record<string, number>;
}

export function webgpu(backend: WebGPUBackend, inputs: Inputs, attrs: Attrs): TensorInfo[] {
	const { segments, probabilities } = attrs as unknown as PackedAttrs;
	const { query } = inputs;
	let base: { out: TensorInfo; log: TensorInfo } | null = inputs.out ? { out: inputs.out, log: inputs.logSumExp } : null;
	const done = segments.map((segment, i): Part => {
		const part = read(backend, query, segment, inputs[`pool${i}`], inputs[`table${i}`], probabilities);
		const merged: { out: TensorInfo; log: TensorInfo } = merge(backend, part, query.shape, base);
		if (base && base.out !== inputs.out) for (const { dataId } of [base.out, base.log]) backend.disposeData(dataId);
		base = merged;
		return part;
	});
	const { out, log } = base as unknown as { out: TensorInfo; log: TensorInfo };
	const results = [out, log];
	if (probabilities) for (const part of done) results.push(sharesOf(backend, part, query.shape, log));
	for (const { parts } of done) backend.disposeData(parts.dataId);
	return results;
}

/** Sums over the pages of one segment. */
function read(backend: WebGPUBackend, query: TensorInfo, segment: PackedSegment, pool: TensorInfo, table: TensorInfo, withScores: boolean): Part {
	const [batch, heads, tokens, headDim] = query.shape;
	const { format, kvHeads, rows, slots, used } = segment;
	const form = profileFor(profile());
	const plan = planOf(format, heads / kvHeads, form);
	// A pass of many tokens has workgroups enough without parting the pages.
	const ahead = plan.pages * (tokens > 4 ? Math.ceil(slots / plan.pages) : form.tiles);
	// As many as the table has room for, so that the tensor keeps its size while pages are added.
	const splits = Math.ceil(slots / ahead);
	const scoresAt = rows * heads * tokens * splits * partWidth(headDim);
	const ints = { batch, allHeads: batch * kvHeads, heads, kvHeads, tokens, slots, splits, ahead, scoresAt };
	const parts = runProgram(backend, {
		key: `packed_${formatName(format)}_${plan.queries}_${plan.chunks}_${plan.pages}_${plan.threads}_${withScores}`,
		inputs: [['q', query], ['pool', pool], ['table', table]],
		result: [scoresAt + (withScores ? rows * heads * tokens * slots * format.rows : 0)],
		ints,
		floats: { scale: 1 / Math.sqrt(headDim) },
		groups: [Math.ceil(used / ahead), kvHeads * plan.chunks, rows * tokens],
		threads: plan.threads,
		code: readPages(plan, withScores)
	});
	return { segment, plan, parts, table, ints };
}

function merge(backend: WebGPUBackend, { parts, table, ints }: Part, shape: number[], base: { out: TensorInfo; log: TensorInfo } | null): { out: TensorInfo; log: TensorInfo } {
	const [batch, heads, tokens, headDim] = shape;
	const rows = batch * heads * tokens;
	const before: Kernel['inputs'] = base ? [['logs', base.log]] : [];
	const inputs: Kernel['inputs'] = [['parts', parts], ['table', table], ...before];
	const name = `${headDim}_${base !== null}`;
	const out = runProgram(backend, {
		key: `packed_out_${name}`, inputs: base ? [...inputs, ['base', base.out]] : inputs, result: shape,
		ints: { ...ints, size: rows * headDim }, groups: flatGroups(rows * headDim, THREADS), threads: THREADS, code: mergeOut(headDim, base !== null)
	});
	const log = runProgram(backend, {
		key: `packed_log_${name}`, inputs, result: [batch, heads, tokens],
		ints: { ...ints, size: rows }, groups: flatGroups(rows, THREADS), threads: THREADS, code: mergeLog(headDim, base !== null)
	});
	return { out, log };
}

function sharesOf(backend: WebGPUBackend, { segment, parts, table, ints }: Part, shape: number[], log: TensorInfo): TensorInfo {
	const [batch, heads, tokens] = shape;
	const places = segment.slots * segment.format.rows;
	const size = batch * heads * tokens * places;
	return runProgram(backend, {
		key: `packed_shares_${segment.format.rows}`, inputs: [['parts', parts], ['table', table], ['logs', log]], result: [batch, heads, tokens, places],
		ints: { ...ints, size }, groups: flatGroups(size, THREADS), threads: THREADS, code: shares(segment.format.rows)
	});
}
