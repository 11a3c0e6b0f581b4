/** One suite for all backends: what attention reads is what the stores hold. */
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { random } from '$lib/numerics/random.ts';
import { openBackend, traffic } from '$lib/ops/index.ts';
import type { ArmCache } from '../arm-cache.ts';
import { uniformCodec } from '../codecs/uniform.ts';
import { randomArm, TINY } from '../testing.ts';
import { DeviceMemory } from './memory.ts';
import { expectedRead, maxDifference, runPass, type PassNumbers } from './testing.ts';

const { layers, heads, kvHeads, headDim: d } = TINY;

function outOf(pass: PassNumbers, row: number, layer: number, queryHead: number, tokens = 1, t = 0): Float32Array {
	const at = ((row * heads + queryHead) * tokens + t) * d;
	return pass.outs[layer].subarray(at, at + d);
}

/** Compares one row with plain loops over its store, which holds the pass's token by now. */
function checkRow(memory: DeviceMemory, pass: PassNumbers, row: number): void {
	for (let layer = 0; layer < layers; layer++) {
		for (let q = 0; q < heads; q++) {
			const query = pass.queries[layer].subarray((row * heads + q) * d, (row * heads + q + 1) * d);
			expect(maxDifference(outOf(pass, row, layer, q), expectedRead(memory.arms[row], layer, q, query).out)).toBeLessThan(1e-5);
		}
	}
}

/** Evicts differently in every head. */
function makeRagged(arm: ArmCache): void {
	for (const layer of arm.layers) {
		for (let head = 0; head < kvHeads; head++) {
			layer.evict(head, Array.from({ length: 3 + 2 * head + layer.layer }, (_, i) => 2 * i + head));
		}
	}
}

export const memorySuite = (backend: 'cpu' | 'wasm' | 'webgpu') => describe(`the working copy on ${backend}`, { timeout: 120_000 }, () => {
	let memory: DeviceMemory | null = null;
	const open = (arms: ArmCache[], capacity: number) => (memory = new DeviceMemory(arms, capacity));
	beforeAll(async () => void (await openBackend(backend)));
	afterEach(() => {
		memory?.dispose();
		memory = null;
	});

	it('reads ragged, biased, hidden and encoded slots as the store has them', async () => {
		const full = randomArm(24);
		const ragged = full.fork();
		makeRagged(ragged);
		const mixed = full.fork();
		mixed.layers[0].encode(0, 'K', [4, 5, 6, 7], uniformCodec({ bits: 3, axis: 'channel', group: 4 }));
		mixed.layers[1].merge(1, [{ into: 3, from: [1, 2], weights: [1, 1], value: new Float32Array(d).fill(0.3), bias: Math.log(3) }]);
		mixed.layers[0].hide(1, [0, 10, 11]);
		const rows = open([full, ragged, mixed], 40);
		for (let step = 0; step < 4; step++) {
			const pass = await runPass(rows, 'append', step);
			for (let row = 0; row < 3; row++) checkRow(rows, pass, row);
			// Verbs between passes, places are freed and used again.
			ragged.layers[0].evict(0, [1, 5]);
			// Rewritten where places and slots no longer agree.
			ragged.layers[0].encode(0, 'V', [ragged.layers[0].length(0) - 1], uniformCodec({ bits: 2, axis: 'token', group: 8 }));
			ragged.layers[1].merge(1, [{ into: 2, from: [0], weights: [1], value: new Float32Array(d).fill(step) }]);
			mixed.layers[0].show(1, [10]);
			mixed.layers[0].encode(0, 'V', [step], uniformCodec({ bits: 4, axis: 'token', group: 8 }));
		}
		expect(full.layers[0].length(0)).toBe(28);
		expect(full.tokens).toBe(28);
	});

	it('gives an arm without a method the very bits of the reference', async () => {
		const full = randomArm(17);
		const [same, other] = [full.fork(), full.fork()];
		other.layers[0].keep(0, [0, 1, 2]);
		const rows = open([full, other, same], 20);
		const size = heads * d;
		for (const kind of ['transient', 'append', 'append'] as const) {
			const pass = await runPass(rows, kind, 5);
			for (let layer = 0; layer < layers; layer++) {
				expect(pass.outs[layer].slice(2 * size)).toEqual(pass.outs[layer].slice(0, size));
			}
			expect(maxDifference(pass.outs[0].slice(size, 2 * size), pass.outs[0].slice(0, size))).toBeGreaterThan(1e-3);
		}
	});

	it('makes evicted and hidden the same', async () => {
		const full = randomArm(30);
		const [evicted, hidden] = [full.fork(), full.fork()];
		const gone = [0, 3, 4, 9, 20, 28];
		for (const layer of full.layers) {
			evicted.layers[layer.layer].evict(1, gone);
			hidden.layers[layer.layer].hide(1, gone);
		}
		const pass = await runPass(open([full, evicted, hidden], 40), 'append', 1);
		const size = heads * d;
		for (const outs of pass.outs) expect(maxDifference(outs.slice(size, 2 * size), outs.slice(2 * size))).toBeLessThan(1e-5);
	});

	it('does not care where slots lie', async () => {
		// The same slots, once in order, once with places shuffled by evictions and appends.
		const full = randomArm(12);
		const shuffled = full.fork();
		const rows = open([full, shuffled], 30);
		const draw = random(3);
		for (let step = 0; step < 8; step++) {
			await runPass(rows, 'append', 100 + step);
			for (const layer of shuffled.layers) layer.evict(0, [draw.int(0, layer.length(0) - 2)]);
		}
		const places = shuffled.layers[0].heads[0].slots.copy('place');
		expect([...places]).not.toEqual([...places].sort((a, b) => a - b));
		const ordered = shuffled.fork();
		const pass = await runPass(rows, 'append', 7);
		rows.dispose();
		const again = await runPass(open([full.fork(), ordered], 30), 'append', 7);
		for (let layer = 0; layer < layers; layer++) {
			const size = heads * d;
			expect(maxDifference(pass.outs[layer].slice(size), again.outs[layer].slice(size))).toBeLessThan(1e-5);
		}
	});

	it('runs the last token once more without storing it', async () => {
		const full = randomArm(10);
		const lost = full.fork();
		lost.layers[0].evict(0, [9]);
		const turned = full.fork();
		for (const layer of turned.layers) {
			for (let head = 0; head < kvHeads; head++) {
				layer.keep(head, [0, 1, 7, 8, 9]);
				layer.rerotate(head);
			}
		}
		const before = [full, lost, turned].map((arm) => arm.layers[0].keys(0));
		const rows = open([full, lost, turned], 12);
		const start = rows.begin('transient').start;
		rows.abandon();
		expect([...start]).toEqual([9, 9, 4]);
		const pass = await runPass(rows, 'transient', 2, { attention: true });
		[full, lost, turned].forEach((arm, row) => expect(arm.layers[0].keys(0)).toEqual(before[row]));
		expect(full.tokens).toBe(10);
		// Expected: the store with the own slot replaced by what the pass brought.
		const own = full.fork();
		for (let layer = 0; layer < layers; layer++) {
			for (let head = 0; head < kvHeads; head++) {
				if (own.layers[layer].length(head) === 10) own.layers[layer].evict(head, [9]);
				own.append(layer, head, pass.keys[layer].slice(head * d, (head + 1) * d), pass.values[layer].slice(head * d, (head + 1) * d), 9);
			}
		}
		for (let q = 0; q < heads; q++) {
			const { out, weights } = expectedRead(own, 1, q, pass.queries[1].subarray(q * d, (q + 1) * d));
			expect(maxDifference(outOf(pass, 0, 1, q), out)).toBeLessThan(1e-5);
			expect(maxDifference(pass.seen.attentionByPosition(0, 1, q, 10), weights)).toBeLessThan(1e-5);
		}
		// And afterwards the stored slot is visible again.
		checkRow(rows, await runPass(rows, 'append', 3), 0);
		checkRow(rows, await runPass(rows, 'append', 4), 1);
	});

	it('shows attention by slot and by position', async () => {
		const full = randomArm(14);
		const arm = full.fork();
		makeRagged(arm);
		const rows = open([full, arm], 20);
		const pass = await runPass(rows, 'append', 9, { attention: true, queries: { last: 1 } });
		for (let q = 0; q < heads; q++) {
			const query = pass.queries[0].subarray(q * d, (q + 1) * d);
			expect(pass.seen.query(1, 0, q)).toEqual(query);
			const { weights } = expectedRead(arm, 0, q, query);
			expect(maxDifference(pass.seen.attention(1, 0, q), weights)).toBeLessThan(1e-6);
		}
		const kv = 1;
		const positions = arm.layers[0].positions(kv);
		const bySlot = pass.seen.attention(1, 0, 2);
		const byPosition = pass.seen.attentionByPosition(1, 0, 2, 15);
		positions.forEach((position, slot) => expect(byPosition[position]).toBe(bySlot[slot]));
		expect(byPosition.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
		// A slot evicted since is left out, the others keep their share.
		arm.layers[0].evict(kv, [0]);
		expect(pass.seen.attention(1, 0, 2)).toEqual(bySlot.slice(1));
		expect(() => pass.seen.attentionSums(0, 0, 0)).toThrow(/not asked for/);
	});

	it('reads back the attention of the rows that were asked for, and no other', async () => {
		const full = randomArm(14);
		const arm = full.fork();
		makeRagged(arm);
		const rows = open([full, arm, full.fork()], 20);
		const bytes = async (attention: true | { firstRow: number; rows: number }) => {
			const before = traffic().read;
			const { seen } = await runPass(rows, 'transient', 9, { attention });
			return { seen, read: traffic().read - before };
		};
		const [all, some] = [await bytes(true), await bytes({ firstRow: 1, rows: 1 })];
		for (let q = 0; q < heads; q++) expect(some.seen.attention(1, 0, q)).toEqual(all.seen.attention(1, 0, q));
		expect(all.read - some.read).toBe(4 * 2 * layers * heads * 21);
		for (const row of [0, 2]) expect(() => some.seen.attention(row, 0, 0)).toThrow(/not asked for/);
	});

	it('lets a row hide slots before it reads, with its new token in place', async () => {
		const full = randomArm(14);
		const arm = full.fork();
		const rows = open([full, arm], 20);
		const lengths: number[] = [];
		const attending = new Map([[1, (layer: ArmCache['layers'][number], query: (q: number) => Float32Array) => {
			lengths.push(layer.length(0));
			const best = query(0)[0] > 0 ? [0, 1, 2] : [3, 4, 5];
			layer.show(0, Array.from({ length: layer.length(0) }, (_, i) => i));
			layer.hide(0, best);
		}]]);
		for (let step = 0; step < 3; step++) {
			const pass = await runPass(rows, 'append', 20 + step, { attending });
			checkRow(rows, pass, 0);
			checkRow(rows, pass, 1);
		}
		expect(lengths).toEqual([15, 15, 16, 16, 17, 17]);
		const before = arm.layers[0].keys(0);
		await runPass(rows, 'transient', 30, { attending });
		expect(arm.layers[0].keys(0)).toEqual(before);
	});

	it('merges a summary and says its share', async () => {
		const full = randomArm(14);
		const arm = full.fork();
		const d2 = d * d;
		// One evicted pair is summarised exactly, so the arm reads what the full cache reads.
		const cache = arm.layers[1];
		const [key, value] = [cache.keys(0).slice(0, d), cache.values(0).slice(0, d)];
		cache.evict(0, [0]);
		cache.summarise(0, { logCount: 0, meanKey: key, meanValue: value, matrix: new Float32Array(d2), parts: [{ item: 'state', array: new Uint16Array(2 * d) }] }, [0]);
		expect(arm.bill().items.state).toBe(4 * d);
		// A fork has the summary as well.
		const fork = arm.fork();
		const rows = open([full, fork], 20);
		for (let step = 0; step < 2; step++) {
			const pass = await runPass(rows, 'append', 40 + step, { attention: true });
			const size = heads * d;
			expect(maxDifference(pass.outs[0].slice(size), pass.outs[0].slice(0, size))).toBe(0);
			expect(maxDifference(pass.outs[1].slice(size), pass.outs[1].slice(0, size))).toBeLessThan(1e-5);
			expect(pass.seen.summaryShare(1, 1, 0)).toBeCloseTo(pass.seen.attentionByPosition(0, 1, 0, 1)[0], 5);
			expect(pass.seen.summaryShare(1, 1, 2)).toBe(0);
			const total = pass.seen.attention(1, 1, 0).reduce((a, b) => a + b) + pass.seen.summaryShare(1, 1, 0);
			expect(total).toBeCloseTo(1, 5);
			const inPlaces = pass.seen.attentionByPosition(1, 1, 0, 20).reduce((a, b) => a + b);
			expect(inPlaces + pass.seen.summaryShare(1, 1, 0)).toBeCloseTo(1, 5);
		}
		// A summary may be taken back.
		fork.layers[1].summarise(0, { ...fork.layers[1].summary(0)!, logCount: -Infinity }, []);
		checkRow(rows, await runPass(rows, 'append', 43), 1);
	});

	it('appends several tokens a row, each seeing those before it', async () => {
		const full = randomArm(12);
		const arm = full.fork();
		makeRagged(arm);
		const rows = open([full, arm], 22);
		await runPass(rows, 'append', 50);
		arm.layers[0].evict(0, [2]);
		for (const seed of [51, 52]) {
			const lengths = [0, 1].map((row) => rows.arms[row].layers.map((layer) => [0, 1].map((head) => layer.length(head))));
			const pass = await runPass(rows, 'append', seed, { attentionSums: true, queries: 'all' }, 4);
			for (const row of [0, 1]) {
				for (let layer = 0; layer < layers; layer++) {
					for (let q = 0; q < heads; q++) {
						const head = q >> 1;
						const sums = new Float64Array(rows.arms[row].layers[layer].length(head));
						for (let t = 0; t < 4; t++) {
							const at = ((row * heads + q) * 4 + t) * d;
							const query = pass.queries[layer].subarray(at, at + d);
							const wanted = expectedRead(rows.arms[row], layer, q, query, lengths[row][layer][head] + t + 1);
							expect(maxDifference(outOf(pass, row, layer, q, 4, t), wanted.out)).toBeLessThan(1e-5);
							wanted.weights.forEach((weight, slot) => (sums[slot] += weight));
						}
						expect(maxDifference(pass.seen.attentionSums(row, layer, q), sums)).toBeLessThan(1e-5);
					}
				}
			}
			expect(full.tokens).toBe(seed === 51 ? 17 : 21);
			expect(arm.layers[0].positions(0).at(-1)).toBe(full.tokens - 1);
		}
		// 21 tokens, room for 22: two more do not fit.
		expect(() => rows.begin('append', {}, 2)).toThrow(/do not fit|full/);
		rows.abandon();
	});

	it('makes room for neighbouring places when evictions left only gaps', async () => {
		const full = randomArm(12);
		const arm = full.fork();
		const rows = open([arm], 16);
		for (let block = 0; block < 4; block++) {
			for (const layer of arm.layers) {
				for (let head = 0; head < kvHeads; head++) layer.keep(head, [0, 2, 3 + head, 7, 9 + layer.layer]);
			}
			await runPass(rows, 'append', 60 + block, {}, 7);
			checkRow(rows, await runPass(rows, 'append', 70 + block), 0);
		}
		expect(arm.tokens).toBe(12 + 4 * 8);
		expect(arm.layers[0].length(0)).toBe(13);
	});

	it('holds no more after 300 steps with evictions, and never loses a protected slot', async () => {
		const full = randomArm(8);
		const arm = full.fork();
		for (const layer of arm.layers) layer.protect([0, 3], 'sinks');
		const rows = open([arm], 12);
		const draw = random(1);
		// The backend keeps freed buffers by size, so what it has allocated must stop growing as well.
		const held = () => {
			const memory = tf.memory() as tf.MemoryInfo & { numBytesInGPU?: number; numBytesAllocatedInGPU?: number };
			return [memory.numTensors, memory.numBytes, memory.numBytesInGPU, memory.numBytesAllocatedInGPU];
		};
		let live: ReturnType<typeof held> = [];
		for (let step = 0; step < 300; step++) {
			await runPass(rows, 'append', step, { attention: step % 2 === 0 });
			for (const layer of arm.layers) {
				for (let head = 0; head < kvHeads; head++) {
					while (layer.length(head) > 8) layer.evict(head, [draw.int(0, layer.length(head) - 1)]);
				}
			}
			arm.takeRecords();
			if (step === 21) live = held();
		}
		expect(held()).toEqual(live);
		for (const layer of arm.layers) expect([...layer.positions(0).slice(0, 2)]).toEqual([0, 3]);
		const pass = await runPass(rows, 'append', 1000);
		checkRow(rows, pass, 0);
	});

	it('says when a row does not fit or a pass is out of turn', () => {
		expect(() => new DeviceMemory([randomArm(9)], 8)).toThrow(RangeError);
		const rows = open([randomArm(4)], 8);
		rows.begin('append');
		expect(() => rows.begin('append')).toThrow(/running already/);
	});
});
