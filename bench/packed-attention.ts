/**
 * Attention of one token over a cache kept as codes, against the same cache decoded to float32, measured in turns:
 * node scripts/run-ts.mjs bench/packed-attention.ts [--context 512,4096] [--bits 8,4,2] [--rows 1,4] [--shape nano,smol] [--steps 9]
 * Prints ratios of medians (below 1: packed is faster) and the bytes that a step has to read. Times under a software WebGPU adapter
 * say nothing about graphics hardware: it computes on the CPU, where unpacking costs and memory is cheap.
 */
import { arch, cpus, platform } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { attentionPacked, type Bits, type PackedFormat, type PackedSegment } from '../src/lib/ops/attention-packed/index.ts';
import { packedScene, side } from '../src/lib/ops/attention-packed/testing.ts';
import { attention, attentionTogether, openBackend, persistentFrom, read } from '../src/lib/ops/index.ts';
import { normal, tensor } from '../src/lib/ops/testing.ts';

interface Shape { heads: number; kvHeads: number; headDim: number }
const SHAPES: Record<string, Shape> = { nano: { heads: 8, kvHeads: 4, headDim: 32 }, smol: { heads: 9, kvHeads: 3, headDim: 64 } };
/** Tokens that wait in float32 beside the packed ones, as with KIVI. */
const TAIL = 32;

export async function main(args: string[]): Promise<void> {
	const option = (name: string, fallback: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : fallback);
	const list = (name: string, fallback: string) => option(name, fallback).split(',').map(Number);
	const engine = await openBackend('webgpu');
	console.log(`Measured on ${cpus()[0]?.model.trim()} (${cpus().length} visible), ${platform()} ${arch()}, Node ${process.version}; WebGPU: ${engine.adapter}.`);
	software = engine.software;
	if (software) console.log('This is a software adapter: its times, here of processor time, say nothing about a GPU.');
	console.log('shape  rows  context  bits       float32 ms   packed ms   packed / float32   beside the tail / float32   bytes read');
	for (const name of option('--shape', 'nano,smol').split(',')) {
		for (const rows of list('--rows', '1,4')) {
			for (const context of list('--context', '512,4096')) {
				for (const bits of list('--bits', '8,4,2')) {
					for (const axis of ['token', 'channel'] as const) await compare(name, rows, context, bits as Bits, axis, Number(option('--steps', '9')));
				}
			}
		}
	}
}

/** Keys per token or per channel, values per token, groups of 32. */
async function compare(name: string, rows: number, context: number, bits: Bits, axis: 'token' | 'channel', steps: number): Promise<void> {
	const { heads, kvHeads, headDim } = SHAPES[name];
	const format: PackedFormat = { headDim, rows: 32, key: side(bits, axis, 32), value: side(bits, 'token', 32) };
	const packed = packedScene({ batch: rows, heads, kvHeads, tokens: 1, format, pages: new Array(rows * kvHeads).fill(context / 32), seed: 'bench' });
	const segment = packed.pool.segment() as PackedSegment;
	packed.scatter.flush();
	const query = tensor(normal('query', rows, heads, 1, headDim));
	const cache = (places: number) => ['k', 'v'].map((what) => persistentFrom(normal(what, rows, kvHeads, places, headDim).data, [rows, kvHeads, places, headDim]));
	const places = context + TAIL;
	const [keys, values] = cache(places);
	const bias = (visible: number) => {
		const all = new Float32Array(rows * kvHeads * places).fill(-1e30);
		for (let i = 0; i < rows * kvHeads; i++) all.fill(0, i * places, i * places + visible);
		return persistentFrom(all, [rows, kvHeads, places]);
	};
	const [whole, tail] = [bias(places), bias(TAIL)];
	const at = new Int32Array(rows * kvHeads).fill(TAIL - 1);
	const runs = {
		float: () => [attention(query, keys, values, whole, at, { outOnly: true }).out],
		packed: () => [attentionPacked(query, [segment], { outOnly: true }).out],
		beside: () => {
			const together = attentionTogether(query, keys, values, tail, at);
			const { out } = attentionPacked(query, [segment], { onto: { together }, outOnly: true });
			together.dispose();
			return [out];
		}
	};
	const times = { float: [] as number[], packed: [] as number[], beside: [] as number[] };
	for (let i = 0; i < steps + 1; i++) {
		for (const which of Object.keys(runs) as (keyof typeof runs)[]) {
			const before = spent();
			const made = runs[which]();
			await read(made[0]);
			// The first run compiles; it is not counted.
			if (i > 0) times[which].push(spent() - before);
			tf.dispose(made);
		}
	}
	const [float, codes, both] = [times.float, times.packed, times.beside].map(median);
	const bytes = rows * kvHeads * context * headDim * 2 * 4;
	console.log([
		name.padEnd(5), String(rows).padStart(5), String(context).padStart(8), `  ${bits} per ${axis}`.padEnd(16), float.toFixed(2).padStart(7), codes.toFixed(2).padStart(11),
		(codes / float).toFixed(2).padStart(15), (both / float).toFixed(2).padStart(22), `       ${(100 * packed.pool.bytes / bytes).toFixed(0)} % of ${(bytes / 2 ** 20).toFixed(1)} MB`
	].join(' '));
	tf.dispose([query, keys, values, whole, tail]);
	packed.pool.dispose();
	packed.scatter.dispose();
}

let software = false;

/** Milliseconds: by the clock, or of processor time under a software adapter, where other work may share the processor. */
function spent(): number {
	if (!software) return performance.now();
	const { user, system } = process.cpuUsage();
	return (user + system) / 1000;
}

function median(numbers: number[]): number {
	return numbers.slice().sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
