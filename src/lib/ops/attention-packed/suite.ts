import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackend, type Preferred } from '../backend.ts';
import { read } from '../buffers.ts';
import { setProfile, type Profile } from '../profile.ts';
import { expectClose, normal, tensor, type Block } from '../testing.ts';
import { layoutOf } from './format.ts';
import { attentionPacked, type PackedSegment } from './index.ts';
import { packedReference, packedScene, side, type Packed, type Scene } from './testing.ts';

interface Base {
	out: Block;
	log: Block;
}

const numbersOf = (name: string, { batch, heads, tokens, format: { headDim } }: Scene) => ({
	query: normal(`${name} q`, batch, heads, tokens, headDim),
	base: { out: normal(`${name} o`, batch, heads, tokens, headDim), log: normal(`${name} l`, batch, heads, tokens) }
});

/** Lends the pages of scenes of one batch, on a backend. Nothing may be left behind. */
async function withPages<T>(backend: Preferred, scenes: Scene[], use: (segments: PackedSegment[]) => Promise<T>): Promise<T> {
	await openBackend(backend);
	const before = tf.memory().numTensors;
	const packed = scenes.map(packedScene);
	const segments = packed.map(({ pool }) => pool.segment()).filter((segment): segment is PackedSegment => segment !== null);
	packed.forEach(({ scatter }) => scatter.flush());
	const result = await use(segments);
	for (const { pool, scatter } of packed) {
		pool.dispose();
		scatter.dispose();
	}
	expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
	return result;
}

/** Runs scenes of one batch on a backend: out, log, and probabilities of the scenes' places. */
const run = (backend: Preferred, scenes: Scene[], query: Block, base?: Base): Promise<Float32Array[]> => withPages(backend, scenes, async (segments) => {
	const inputs = [query, ...(base ? [base.out, base.log] : [])].map(tensor);
	const result = attentionPacked(inputs[0], segments, { probabilities: true, ...(base ? { onto: { out: inputs[1], logSumExp: inputs[2] } } : {}) });
	const tensors = [result.out, result.logSumExp!, ...result.probabilities!];
	const numbers: Float32Array[] = [];
	for (const each of tensors) numbers.push((await read(each)) as Float32Array);
	tf.dispose([...inputs, ...tensors]);
	return numbers;
});

/** Probabilities over the table's slots, cut to the places that the scene has. */
function cut(shares: Float32Array, rows: number, places: number): Float32Array {
	const width = shares.length / rows;
	return Float32Array.from({ length: rows * places }, (_, i) => shares[Math.floor(i / places) * width + (i % places)]);
}

function expectAll(actual: Float32Array[], wanted: ReturnType<typeof packedReference>, packed: Packed[]): void {
	const rows = wanted.log.length;
	const nothing = wanted.log.map((log) => Number(log <= -1e29));
	expect(actual[1].map((log) => Number(log <= -1e29))).toEqual(Float32Array.from(nothing));
	const readable = (log: ArrayLike<number>) => Array.from(log).filter((_, i) => !nothing[i]);
	expectClose(actual[0], wanted.out, 1e-5);
	expectClose(readable(actual[1]), readable(wanted.log), 1e-5);
	packed.forEach(({ bias }, i) => expectClose(cut(actual[2 + i], rows, bias[0].length), wanted.shares[i], 1e-5));
}

/** Against float64 and, on WebGPU, the stock twin; alone and onto something read before. */
async function checkScene(backend: Preferred, scene: Scene): Promise<void> {
	const { query, base } = numbersOf(scene.seed, scene);
	await openBackend('cpu');
	const packed = packedScene(scene);
	for (const onto of [undefined, base]) {
		const actual = await run(backend, [scene], query, onto);
		expectAll(actual, packedReference(query, scene, [packed], onto), [packed]);
		if (backend === 'webgpu') (await run('cpu', [scene], query, onto)).forEach((twin, i) => i !== 1 && expectClose(actual[i], twin, 1e-5));
	}
}

const CASES: Omit<Scene, 'seed'>[] = [
	// KIVI: keys per channel, values per token; a row and a head without pages.
	{ batch: 3, heads: 6, kvHeads: 2, tokens: 1, pages: [5, 2, 0, 0, 1, 6], format: { headDim: 32, rows: 32, key: side(2, 'channel', 32), value: side(2, 'token', 32) } },
	{ batch: 1, heads: 3, kvHeads: 1, tokens: 1, pages: [9], format: { headDim: 64, rows: 32, key: side(4, 'token', 32), value: side(4, 'token', 32) } },
	{ batch: 2, heads: 2, kvHeads: 2, tokens: 1, pages: [3, 1, 0, 2], format: { headDim: 64, rows: 32, key: side(8, 'token', 64, true), value: side(8, 'token', 64, true) } },
	// Widths that fill no word, odd groups, few rows, many query heads, several tokens.
	{ batch: 1, heads: 7, kvHeads: 1, tokens: 1, pages: [4], format: { headDim: 6, rows: 3, key: side(4, 'channel', 3, true), value: side(2, 'channel', 3) } },
	{ batch: 2, heads: 4, kvHeads: 2, tokens: 6, pages: [2, 3, 1, 4], format: { headDim: 20, rows: 16, key: side(8, 'token', 6), value: side(4, 'token', 5, true) } },
	{ batch: 1, heads: 5, kvHeads: 1, tokens: 2, pages: [20], format: { headDim: 128, rows: 32, key: side(4, 'channel', 32), value: side(8, 'token', 16) } },
	{ batch: 1, heads: 1, kvHeads: 1, tokens: 1, pages: [2], format: { headDim: 256, rows: 100, key: side(2, 'token', 16), value: side(8, 'channel', 100) } }
];

const scenes = fc.record({
	batch: fc.integer({ min: 1, max: 3 }), kvHeads: fc.integer({ min: 1, max: 2 }), group: fc.integer({ min: 1, max: 5 }),
	tokens: fc.constantFrom(1, 1, 3), headDim: fc.constantFrom(4, 8, 12, 16), rows: fc.constantFrom(1, 4, 8),
	bits: fc.tuple(fc.constantFrom(2, 4, 8), fc.constantFrom(2, 4, 8)), axis: fc.tuple(fc.constantFrom('token', 'channel'), fc.constantFrom('token', 'channel')),
	groups: fc.tuple(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 16 })), symmetric: fc.tuple(fc.boolean(), fc.boolean()),
	pages: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 6, maxLength: 6 }), seed: fc.string()
}).map(({ batch, kvHeads, group, tokens, headDim, rows, bits, axis, groups, symmetric, pages, seed }): Scene => {
	const of = (i: 0 | 1) => side(bits[i] as 2 | 4 | 8, axis[i] as 'token' | 'channel', Math.min(groups[i], headDim), symmetric[i]);
	return { batch, heads: kvHeads * group, kvHeads, tokens, seed, pages: pages.slice(0, batch * kvHeads), format: { headDim, rows, key: of(0), value: of(1) } };
}).filter(({ pages }) => pages.some((count) => count > 0));

export function attentionPackedSuite(backend: Preferred, profile: Profile | null = null): void {
	describe(`attentionPacked on ${backend}${profile ? `, kernels for ${profile}` : ''}`, () => {
		beforeAll(async () => {
			await openBackend(backend);
			setProfile(profile);
		});
		afterAll(() => setProfile(null));

		it.each(CASES.map((scene, i) => ({ ...scene, seed: `packed ${i}` })))('$seed: $heads/$kvHeads heads, $tokens tokens, pages $pages', (scene) => checkScene(backend, scene));

		it('reads any bits, axes, groups, shapes and raggedness', async () => {
			await fc.assert(fc.asyncProperty(scenes, (scene) => checkScene(backend, scene)), { numRuns: backend === 'webgpu' ? 2 : 25 });
		}, 900_000);

		it('reads several formats as one cache', async () => {
			const shape = { batch: 2, heads: 4, kvHeads: 2, tokens: 1 };
			const two: Scene[] = [
				{ ...shape, seed: 'a', pages: [2, 0, 3, 1], format: { headDim: 16, rows: 8, key: side(2, 'token', 16), value: side(4, 'channel', 8) } },
				{ ...shape, seed: 'b', pages: [1, 1, 0, 0], format: { headDim: 16, rows: 4, key: side(8, 'token', 16), value: side(8, 'token', 16) } }
			];
			const { query, base } = numbersOf('two', two[0]);
			await openBackend('cpu');
			const packed = two.map(packedScene);
			expectAll(await run(backend, two, query, base), packedReference(query, two[0], packed, base), packed);
		});

		it('gives rows without pages the bits of what they read elsewhere', async () => {
			const scene: Scene = { batch: 3, heads: 4, kvHeads: 2, tokens: 1, seed: 'bits', pages: [0, 0, 2, 1, 0, 0], format: { headDim: 8, rows: 8, key: side(4, 'token', 8), value: side(4, 'token', 8) } };
			const { query, base } = numbersOf('bits', scene);
			const [out, log] = await run(backend, [scene], query, base);
			for (const row of [0, 2]) {
				expect(out.slice(row * 32, (row + 1) * 32)).toEqual(base.out.data.slice(row * 32, (row + 1) * 32));
				expect(log.slice(row * 4, (row + 1) * 4)).toEqual(base.log.data.slice(row * 4, (row + 1) * 4));
			}
			expect(out.slice(32, 64)).not.toEqual(base.out.data.slice(32, 64));
		});

		it('goes on from rows that hold what was read and its log-sum-exp together', async () => {
			const shape = { batch: 2, heads: 4, kvHeads: 2, tokens: 2 };
			const scenes: Scene[] = [
				{ ...shape, seed: 'first', pages: [2, 0, 3, 1], format: { headDim: 8, rows: 8, key: side(4, 'channel', 8), value: side(4, 'token', 8) } },
				{ ...shape, seed: 'second', pages: [1, 1, 0, 2], format: { headDim: 8, rows: 8, key: side(8, 'token', 8), value: side(8, 'token', 8) } }
			];
			const { query, base } = numbersOf('together', scenes[0]);
			const rows = base.log.data.length;
			const together: Block = { shape: [rows, 9], data: Float32Array.from({ length: rows * 9 }, (_, i) => (i % 9 < 8 ? base.out.data[Math.floor(i / 9) * 8 + (i % 9)] : base.log.data[Math.floor(i / 9)])) };
			await openBackend('cpu');
			const packed = scenes.map(packedScene);
			const wanted = packedReference(query, scenes[0], packed, base);
			await withPages(backend, scenes, async (segments) => {
				const [q, onto] = [query, together].map(tensor);
				const { out, ...rest } = attentionPacked(q, segments, { onto: { together: onto }, outOnly: true });
				expectClose(await read(out), wanted.out, 1e-5);
				expect(rest).toEqual({});
				expect(() => attentionPacked(q, segments, { onto: { together: onto }, outOnly: true, probabilities: true })).toThrow(RangeError);
				tf.dispose([q, onto, out]);
			});
		});

		it('holds the payload and a bias a token, and nothing else', () => {
			for (const bits of [2, 4, 8] as const) {
				// 64 channels in groups of 32: codes, and two bytes each for step and zero.
				const perToken = (64 * bits) / 8 + 2 * 4;
				const perChannel = (32 * 64 * bits) / 8 + 64 * 4;
				expect(4 * layoutOf({ headDim: 64, rows: 32, key: side(bits, 'token', 32), value: side(bits, 'token', 32) }).words).toBe(32 * (2 * perToken + 4));
				expect(4 * layoutOf({ headDim: 64, rows: 32, key: side(bits, 'channel', 64), value: side(bits, 'token', 32) }).words).toBe(perChannel + 32 * (perToken + 4));
			}
		});

		it('refuses places that do not fit the query', async () => {
			const { pool, scatter } = packedScene({ batch: 1, heads: 2, kvHeads: 2, tokens: 1, seed: 'fit', pages: [1, 1], format: { headDim: 8, rows: 4, key: side(4, 'token', 8), value: side(4, 'token', 8) } });
			for (const shape of [[2, 2, 1, 8], [1, 3, 1, 8], [1, 2, 1, 4]]) {
				const query = tf.zeros(shape);
				expect(() => attentionPacked(query, [pool.segment()!])).toThrow(RangeError);
				query.dispose();
			}
			pool.dispose();
			scatter.dispose();
		});
	});
}
