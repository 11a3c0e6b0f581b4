/** One suite for all backends: encoded slots that are read as codes give what their decoded numbers give. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { random, type Random } from '$lib/numerics/random.ts';
import { openBackend } from '$lib/ops/index.ts';
import type { ArmCache } from '../arm-cache.ts';
import { lowRankCodec } from '../codecs/lowrank.ts';
import { uniformCodec } from '../codecs/uniform.ts';
import { randomArm, TINY } from '../testing.ts';
import type { Codec, Which } from '../types.ts';
import { DeviceMemory } from './memory.ts';
import { expectedRead, maxDifference, runPass, type PassNumbers } from './testing.ts';

const { layers, heads, kvHeads, headDim: d } = TINY;
const identity = Float32Array.from({ length: d * d }, (_, i) => Number(i % (d + 1) === 0));

/** Those that can be read packed, and some that cannot. */
const CODECS: Codec[] = [
	uniformCodec({ bits: 2, axis: 'channel', group: 8 }), uniformCodec({ bits: 2, axis: 'token', group: 8 }),
	uniformCodec({ bits: 4, axis: 'token', group: 3 }), uniformCodec({ bits: 4, axis: 'channel', group: 5, symmetric: true }),
	uniformCodec({ bits: 8, axis: 'token', group: 32, symmetric: true }),
	uniformCodec({ bits: 3, axis: 'token', group: 8 }), lowRankCodec({ basis: identity, columns: d, rank: d, precision: 32 })
];
/** On WebGPU every pair of codecs is a kernel to compile. */
const FEW = [0, 1, 5];

/** A random verb on a random head. */
function act(arm: ArmCache, draw: Random, codecs: Codec[], full: ArmCache): void {
	const layer = draw.pick(arm.layers);
	const head = draw.int(0, kvHeads - 1);
	const slots = Array.from({ length: layer.length(head) }, (_, slot) => slot);
	const some = slots.filter(() => draw.chance(0.4));
	const resident = slots.filter((slot) => !layer.offloaded(head)[slot]);
	switch (draw.pick(['encode', 'encode', 'encode', 'evict', 'hide', 'show', 'merge', 'rerotate', 'before', 'offload', 'fetch', 'restore', 'share', 'corrupt'])) {
		case 'encode': {
			const which: Which = draw.pick(['K', 'V']);
			const exact = resident.filter((slot) => layer.exact(head, which)[slot] && draw.chance(0.8));
			if (exact.length) layer.encode(head, which, exact, draw.pick(codecs));
			break;
		}
		case 'before': {
			const exact = resident.filter((slot) => layer.exact(head, 'K')[slot] && draw.chance(0.4));
			if (exact.length) layer.encodeBeforeRope(head, exact, draw.pick(codecs));
			break;
		}
		case 'evict': if (slots.length > 12) layer.evict(head, some.slice(0, 6)); break;
		case 'hide': layer.hide(head, some.slice(1)); break;
		case 'show': layer.show(head, some); break;
		case 'merge': {
			const [into, from] = resident.filter((slot) => layer.exact(head, 'V')[slot] && draw.chance(0.4));
			if (from !== undefined) layer.merge(head, [{ into, from: [from], weights: [1], value: new Float32Array(d).fill(0.3), bias: Math.log(2) }]);
			break;
		}
		case 'offload': layer.offload(head, some.slice(1)); break;
		case 'fetch': layer.fetch(head, some); break;
		case 'restore': {
			const there = new Set(layer.positions(head));
			const reference = full.layers[layer.layer];
			layer.restore(head, reference.numbersAt(head, reference.positions(head).filter((position) => !there.has(position) && draw.chance(0.5))));
			break;
		}
		case 'share': {
			const from = draw.int(0, kvHeads - 1);
			const lends = resident.filter((slot) => layer.rotaryPositions(head)[slot] === layer.positions(head)[slot] && draw.chance(0.4));
			layer.share(head, draw.pick(['K', 'V']), lends, { layer: full.layers[1 - layer.layer], head: from });
			break;
		}
		case 'corrupt': {
			const which: Which = draw.pick(['K', 'V']);
			const slot = draw.pick(slots);
			const rulers = layer.heads[head].blockOf(slot, which)?.payload.parts.findIndex(({ item }) => item === 'scales') ?? -2;
			// A bit of a ruler (low, so that numbers stay numbers), or of one number's own.
			if (rulers >= 0 && draw.chance(0.5)) layer.corrupt(head, which, [{ slot, part: rulers, bit: draw.int(4, 9) }]);
			else if (rulers !== -1) layer.corrupt(head, which, [{ slot, channel: draw.int(0, d - 1), bit: draw.int(0, 1) + (rulers === -2 ? 20 : 0) }], { word: 'f32' });
			break;
		}
		case 'rerotate': if (draw.chance(0.3)) layer.rerotate(head);
	}
}

/** Compares a row of a pass with plain loops over its store, which holds the pass's token by now. */
function checkRow(memory: DeviceMemory, pass: PassNumbers, row: number): void {
	for (let layer = 0; layer < layers; layer++) {
		for (let q = 0; q < heads; q++) {
			const at = (row * heads + q) * d;
			const wanted = expectedRead(memory.arms[row], layer, q, pass.queries[layer].subarray(at, at + d));
			expect(maxDifference(pass.outs[layer].subarray(at, at + d), wanted.out)).toBeLessThan(1e-5);
			expect(maxDifference(pass.seen.attention(row, layer, q), wanted.weights)).toBeLessThan(1e-5);
		}
	}
}

/** All of KIVI's kind: blocks of keys per channel, values per token but for a tail. */
function encodeLikeKivi(arm: ArmCache, bits = 2, tail = 4): void {
	const [key, value] = [uniformCodec({ bits, axis: 'channel', group: 8 }), uniformCodec({ bits, axis: 'token', group: 8 })];
	for (const layer of arm.layers) {
		for (let head = 0; head < kvHeads; head++) {
			const exact = (which: Which) => [...layer.exact(head, which).keys()].filter((slot) => layer.exact(head, which)[slot]);
			const keys = exact('K');
			for (let from = 0; from + 8 <= keys.length; from += 8) layer.encode(head, 'K', keys.slice(from, from + 8), key);
			const values = exact('V').slice(0, -tail);
			if (values.length) layer.encode(head, 'V', values, value);
		}
	}
}

export const packedSuite = (backend: 'cpu' | 'wasm' | 'webgpu') => describe(`codes in the working copy on ${backend}`, { timeout: 600_000 }, () => {
	let memory: DeviceMemory | null = null;
	const open = (arms: ArmCache[], capacity: number, packs = true) => (memory = new DeviceMemory(arms, capacity, { packs }));
	const close = () => {
		memory?.dispose();
		memory = null;
	};
	beforeAll(async () => void (await openBackend(backend)));
	afterEach(close);

	it('reads what any verbs have left, whatever is coded how', async () => {
		const codecs = backend === 'webgpu' ? FEW.map((i) => CODECS[i]) : CODECS;
		await fc.assert(fc.asyncProperty(fc.nat(1e6), async (seed) => {
			const draw = random(seed);
			const full = randomArm(24);
			const arms = [full, full.fork(), full.fork()];
			for (let i = 0; i < 16; i++) act(arms[1], draw, codecs, full);
			const rows = open(arms, 40);
			for (const kind of ['transient', 'append', 'append', 'append'] as const) {
				const pass = await runPass(rows, kind, draw.int(0, 1000), { attention: true });
				if (kind === 'append') for (const row of [0, 1, 2]) checkRow(rows, pass, row);
				for (let i = 0; i < 5; i++) act(arms[draw.int(1, 2)], draw, codecs, full);
			}
			close();
		}), { numRuns: backend === 'webgpu' ? 4 : 20 });
	});

	it('holds the bytes of the codes, and gives rows without any the bits of the reference', async () => {
		const full = randomArm(64);
		const [coded, same] = [full.fork(), full.fork()];
		encodeLikeKivi(coded);
		const rows = open([full, coded, same], 80);
		expect(rows.packedBytes).toBe(0);
		const size = heads * d;
		for (const kind of ['transient', 'append'] as const) {
			const { outs } = await runPass(rows, kind, 5);
			for (const out of outs) {
				expect(out.slice(2 * size)).toEqual(out.slice(0, size));
				expect(maxDifference(out.slice(size, 2 * size), out.slice(0, size))).toBeGreaterThan(1e-3);
			}
		}
		// With 8 channels of 2 bits half a word is empty; still far below what the numbers take in float32.
		expect(rows.packedBytes).toBeGreaterThan(0);
		expect(rows.packedBytes).toBeLessThan(0.75 * 2 * 4 * d * 64 * kvHeads * layers);
		close();
		// The same arms decoded: the same words.
		const decoded = open([full.fork(), coded.fork()], 80, false);
		const plain = await runPass(decoded, 'append', 6);
		expect(decoded.packedBytes).toBe(0);
		close();
		const codes = await runPass(open([full.fork(), coded.fork()], 80), 'append', 6);
		for (let layer = 0; layer < layers; layer++) expect(maxDifference(plain.outs[layer], codes.outs[layer])).toBeLessThan(1e-5);
	});

	it('sums attention over several tokens, and merges a summary onto codes', async () => {
		const full = randomArm(32);
		const arm = full.fork();
		encodeLikeKivi(arm);
		const [key, value] = [arm.layers[1].keys(0).slice(0, d), arm.layers[1].values(0).slice(0, d)];
		const summed = arm.fork();
		summed.layers[1].evict(0, [0]);
		summed.layers[1].summarise(0, { logCount: 0, meanKey: key, meanValue: value, matrix: new Float32Array(d * d), parts: [] }, [0]);
		const rows = open([full, arm, summed], 48);
		const size = heads * d;
		const one = await runPass(rows, 'append', 1, { attention: true });
		for (const out of one.outs) expect(maxDifference(out.slice(size, 2 * size), out.slice(2 * size))).toBeLessThan(1e-5);
		expect(one.seen.summaryShare(2, 1, 0)).toBeCloseTo(one.seen.attention(1, 1, 0)[0], 5);
		expect(one.seen.attention(2, 1, 0).reduce((a, b) => a + b) + one.seen.summaryShare(2, 1, 0)).toBeCloseTo(1, 5);
		const before = arm.layers[0].length(0);
		const pass = await runPass(rows, 'append', 2, { attentionSums: true }, 3);
		for (const row of [0, 1]) {
			const sums = new Float64Array(before + 3);
			for (let t = 0; t < 3; t++) {
				const at = (row * heads * 3 + t) * d;
				expectedRead(rows.arms[row], 0, 0, pass.queries[0].subarray(at, at + d), before + t + 1).weights.forEach((w, slot) => (sums[slot] += w));
			}
			expect(maxDifference(pass.seen.attentionSums(row, 0, 0), sums)).toBeLessThan(1e-5);
		}
	});

	it('follows flipped bits of codes and rulers, and slots that go away and come back', async () => {
		const full = randomArm(32);
		const [arm, sharing] = [full.fork(), full.fork()];
		encodeLikeKivi(arm);
		const [layer, other] = [arm.layers[0], sharing.layers[0]];
		for (const which of ['K', 'V'] as const) other.share(0, which, [0, 1, 2, 3, 9, 10], { layer, head: 0 });
		const rows = open([full, arm, sharing], 48);
		const read = async (seed: number) => {
			const pass = await runPass(rows, 'append', seed, { attention: true });
			for (const row of [0, 1, 2]) checkRow(rows, pass, row);
			return pass.outs[0].slice(heads * d);
		};
		await read(1);
		const before = [arm, sharing].map((each) => each.layers[0].keys(0));
		// The step of channel 3 of the first eight keys, a code of a value, and the ruler of another.
		layer.corrupt(0, 'K', [{ slot: 2, part: 1, bit: 16 * 3 + 9 }]);
		layer.corrupt(0, 'V', [{ slot: 1, channel: 4, bit: 1 }, { slot: 3, part: 1, bit: 16 * 3 + 8 }]);
		[arm, sharing].forEach((each, i) => expect(maxDifference(each.layers[0].keys(0), before[i])).toBeGreaterThan(0.01));
		await read(2);
		layer.offload(0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 20]);
		layer.evict(1, [4, 5]);
		await read(3);
		layer.fetch(0, [1, 2, 20]);
		layer.restore(1, full.layers[0].numbersAt(1, [4, 5]));
		await read(4);
	});

	it('takes pages and gives them back over many steps, without growing', async () => {
		const arm = randomArm(20);
		const rows = open([arm], 44);
		const held = () => {
			const info = tf.memory() as tf.MemoryInfo & { numBytesAllocatedInGPU?: number };
			return [info.numTensors, info.numBytes, info.numBytesAllocatedInGPU];
		};
		let early: ReturnType<typeof held> = [];
		for (let step = 0; step < 90; step++) {
			const pass = await runPass(rows, 'append', step, step % 10 === 0 ? { attention: true } : {});
			if (step % 10 === 0) checkRow(rows, pass, 0);
			encodeLikeKivi(arm);
			for (const layer of arm.layers) {
				for (let head = 0; head < kvHeads; head++) if (layer.length(head) > 36 + head) layer.evict(head, Array.from({ length: 12 }, (_, i) => 2 * i));
			}
			arm.takeRecords();
			if (step === 60) early = held();
		}
		expect(held()).toEqual(early);
	});
});
