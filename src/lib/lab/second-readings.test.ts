/** Readings over a cache against one pass over all the text, drawn together in float64. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Captured } from '$lib/cache/device/index.ts';
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { makeReadings } from '$lib/methods/make-readings.ts';
import { keyOf, type Reading } from '$lib/methods/requests.ts';
import { rotation } from '$lib/numerics/rope.ts';
import type { Lab } from './lab.ts';
import { cacheOf, readAtOnce } from './prefill.ts';
import { tinyLab } from './testing.ts';

const N = 50;
const ids = Int32Array.from({ length: 90 }, (_, i) => 3 + ((i * 37) % 300));
const again = Array.from(ids.subarray(N));

/** softmax rows of the last tokens over what `competes`; rows by query. */
function rows(whole: Captured, layer: number, head: number, competes: (j: number, i: number) => boolean): number[][] {
	const { heads, kvHeads, headDim: d } = whole.shape;
	const keys = whole.keys(layer, Math.floor((head * kvHeads) / heads));
	const queries = whole.queries(layer, head);
	return again.map((_, t) => {
		const weights = Array.from(ids, (_, j) => {
			if (!competes(j, N + t)) return 0;
			let dot = 0;
			for (let c = 0; c < d; c++) dot += queries[(N + t) * d + c] * keys[j * d + c];
			return Math.exp(dot / Math.sqrt(d));
		});
		const total = weights.reduce((a, b) => a + b);
		return weights.slice(0, N).map((w) => w / total);
	});
}

describe.each(['cpu', 'wasm'] as const)('second readings on %s', (backend) => {
	let lab: Lab;
	let cache: ArmCache;
	let whole: Captured;
	const make = async (reading: Reading, over = cache) => (await makeReadings(lab.loaded.decoder, over, new Map([[keyOf(reading), reading]]))).map((layer) => layer.get(keyOf(reading))!);
	beforeAll(async () => {
		lab = await tinyLab(backend);
		const { decoder } = lab.loaded;
		cache = cacheOf(await readAtOnce(decoder, ids.slice(0, N), {}), rotation(decoder.invFreq));
		whole = await readAtOnce(decoder, ids, { queries: 'all' });
	});
	afterAll(() => lab.dispose());

	const cases: [string, NonNullable<Reading['columns']>, (j: number, i: number) => boolean][] = [
		['all slots and the text itself', { take: 'max', own: true }, (j, i) => j <= i],
		['the slots alone', { take: 'max', own: false }, (j) => j < N],
		['sinks, a part and the text itself', { take: 'mean', own: true, among: { sinks: 3, from: 20, to: 31 } }, (j, i) => j < 3 || (j >= 20 && j < 31) || (j >= N && j <= i)],
		['blocks of queries', { take: 'mean', own: true, block: 15 }, (j, i) => j <= i]
	];
	it.each(cases)('draw columns over %s', async (_, columns, competes) => {
		const views = await make({ ids: again, over: 'prompt', columns });
		views.forEach((view, layer) => {
			expect(view.blocks).toBe(columns.block ? 3 : 1);
			for (let head = 0; head < 4; head++) {
				const all = rows(whole, layer, head, competes);
				for (let block = 0; block < view.blocks; block++) {
					const part = columns.block ? all.slice(block * columns.block, (block + 1) * columns.block) : all;
					const found = view.columns(head, block);
					expect(found).toHaveLength(N);
					found.forEach((value, j) => {
						const column = part.map((row) => row[j]);
						const wanted = columns.take === 'max' ? Math.max(...column) : column.reduce((a, b) => a + b) / column.length;
						expect(Math.abs(value - wanted)).toBeLessThan(2e-6);
					});
				}
			}
		});
	});

	it('divide each row by the length of its normed input, about the root of the width', async () => {
		const one = again.slice(0, 1);
		const plain = await make({ ids: one, over: 'prompt', columns: { take: 'max', own: true } });
		const divided = await make({ ids: one, over: 'prompt', columns: { take: 'max', own: true, perInput: true } });
		divided.forEach((view, layer) => {
			const lengths = view.columns(1).map((value, j) => plain[layer].columns(1)[j] / value);
			lengths.forEach((length) => expect(length / lengths[0]).toBeCloseTo(1, 4));
			expect(Math.abs(lengths[0] / Math.sqrt(lab.model.hidden) - 1)).toBeLessThan(0.3);
		});
	});

	it('leave the cache as it was, and see only what it holds', async () => {
		const arm = cache.fork();
		const kept = [[0, 4, 9, 30, 49], [1, 2, 3]];
		for (const layer of arm.layers) kept.forEach((slots, head) => layer.keep(head, slots));
		const before = arm.layers.map((layer) => [0, 1].map((head) => [layer.positions(head), layer.keys(head).slice()]));
		const [first] = await make({ ids: again, over: 'prompt', columns: { take: 'mean', own: false } }, arm);
		expect(arm.layers.map((layer) => [0, 1].map((head) => [layer.positions(head), layer.keys(head).slice()]))).toEqual(before);
		for (let head = 0; head < 4; head++) {
			const mine = kept[head >> 1];
			const columns = first.columns(head);
			expect(columns.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
			columns.forEach((value, j) => expect(value > 0).toBe(mine.includes(j)));
			// In the first layer queries do not depend on the cache.
			const wanted = rows(whole, 0, head, (j) => mine.includes(j));
			mine.forEach((j) => expect(columns[j]).toBeCloseTo(wanted.reduce((sum, row) => sum + row[j], 0) / again.length, 5));
		}
	});

	it('give keys and values of a text by itself, and of one after the prompt', async () => {
		const alone = await make({ ids: Array.from(ids.subarray(0, N)), over: 'nothing', pairs: true });
		const after = await make({ ids: again, over: 'prompt', pairs: true });
		alone.forEach((view, layer) => {
			expect(view.keys(1)).toEqual(cache.layers[layer].keys(1));
			const d = lab.model.headDim;
			after[layer].values(1).forEach((value, i) => expect(value).toBeCloseTo(whole.values(layer, 1)[N * d + i], 4));
		});
		expect(() => after[0].columns(0)).toThrow('were not asked for');
	});

	it('free their tensors', async () => {
		const tf = await import('@tensorflow/tfjs-core');
		await make({ ids: again, over: 'prompt', columns: { take: 'max', own: true, perInput: true }, pairs: true });
		const before = tf.memory().numTensors;
		await make({ ids: again, over: 'prompt', columns: { take: 'max', own: true, perInput: true, block: 7 }, pairs: true });
		expect(tf.memory().numTensors).toBe(before);
	});
});
