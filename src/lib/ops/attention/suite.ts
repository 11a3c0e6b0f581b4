import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { random } from '$lib/numerics/random.ts';
import { appendSlots } from '../append-slots/index.ts';
import { openBackend, type Preferred } from '../backend.ts';
import { persistentFrom, read, write } from '../buffers.ts';
import { PROFILES, setProfile, type Profile } from '../profile.ts';
import { check, expectClose, normal, numbersOn, tensor, type Block } from '../testing.ts';
import { hostAttention } from './host.ts';
import { attention, attentionTogether } from './index.ts';
import { attentionReference } from './reference.ts';
import { manyTokens } from './stock.ts';
import { wasmAttention } from './wasm.ts';

interface Case { profile?: Profile; batch: number; heads: number; kvHeads: number; tokens: number; capacity: number; dim: number }

/** Some slots hidden, some with a multiplicity, appended places anywhere (ragged). */
function scene({ batch, heads, kvHeads, tokens, capacity, dim }: Case) {
	const name = [batch, heads, kvHeads, tokens, capacity, dim].join();
	const stream = random(name);
	const bias: Block = { shape: [batch, kvHeads, capacity], data: Float32Array.from({ length: batch * kvHeads * capacity },
		() => (stream.chance(0.3) ? -1e30 : stream.chance(0.2) ? Math.log(3) : 0)) };
	return {
		query: normal(`q ${name}`, batch, heads, tokens, dim),
		keys: normal(`k ${name}`, batch, kvHeads, capacity, dim),
		values: normal(`v ${name}`, batch, kvHeads, capacity, dim),
		bias,
		at: Int32Array.from({ length: batch * kvHeads }, () => stream.int(0, capacity - tokens))
	};
}

/** Both read-outs, whole and cut in chunks (the last one ragged), channels that do not fill vec4, more channels than threads. */
const CASES = PROFILES.flatMap((profile): Case[] => [
	{ batch: 1, heads: 2, kvHeads: 1, tokens: 1, capacity: 3, dim: 4 },
	{ batch: 1, heads: 1, kvHeads: 1, tokens: 1, capacity: 1, dim: 8 },
	{ batch: 3, heads: 6, kvHeads: 2, tokens: 1, capacity: 37, dim: 16 },
	{ batch: 2, heads: 4, kvHeads: 4, tokens: 1, capacity: 200, dim: 32 },
	{ batch: 2, heads: 4, kvHeads: 2, tokens: 1, capacity: 700, dim: 20 },
	{ batch: 2, heads: 4, kvHeads: 2, tokens: 9, capacity: 41, dim: 6 },
	{ batch: 2, heads: 4, kvHeads: 2, tokens: 17, capacity: 41, dim: 6 },
	{ batch: 1, heads: 4, kvHeads: 2, tokens: 150, capacity: 203, dim: 32 },
	{ batch: 1, heads: 2, kvHeads: 1, tokens: 20, capacity: 20, dim: 128 },
	{ batch: 1, heads: 2, kvHeads: 2, tokens: 2, capacity: 40, dim: 256 },
	{ batch: 1, heads: 1, kvHeads: 1, tokens: 18, capacity: 40, dim: 256 },
	{ batch: 1, heads: 2, kvHeads: 1, tokens: 2, capacity: 8192, dim: 4 },
	// Chunks of two tiles, the last one ragged.
	...(profile === 'gpu' ? [{ batch: 1, heads: 2, kvHeads: 1, tokens: 1, capacity: 4500, dim: 8 }] : [])
].map((shape) => ({ profile, ...shape })));

/** Rows of what was read, with the log-sum-exp behind. */
function together({ out, logSumExp }: ReturnType<typeof attentionReference>): Float64Array {
	const dim = out.length / logSumExp.length;
	return Float64Array.from({ length: logSumExp.length * (dim + 1) }, (_, i) => {
		const row = Math.floor(i / (dim + 1));
		return i % (dim + 1) < dim ? out[row * dim + (i % (dim + 1))] : logSumExp[row];
	});
}

export function attentionSuite(backend: Preferred): void {
	describe(`attention on ${backend}`, () => {
		afterEach(() => setProfile(null));

		it.each(CASES.filter(({ profile }) => backend === 'webgpu' || profile === 'gpu'))('$batch rows, $heads/$kvHeads heads of $dim, $tokens tokens, capacity $capacity ($profile)', async ({ profile, ...shape }) => {
			setProfile(profile!);
			const { query, keys, values, bias, at } = scene(shape);
			const expected = attentionReference(query, keys, values, bias, at);
			await check(backend, () => {
				const inputs = [query, keys, values, bias].map(tensor) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
				const all = attention(...inputs, at, { probabilities: true, columnSums: true });
				const sums = attention(...inputs, at, { columnSums: true, outOnly: true });
				const bare = attention(...inputs, at, { outOnly: true });
				expect([bare.logSumExp, bare.probabilities, bare.columnSums, sums.logSumExp]).toEqual([undefined, undefined, undefined, undefined]);
				return [all.out, all.logSumExp!, all.probabilities!, all.columnSums!, sums.columnSums!, bare.out, attentionTogether(...inputs, at)];
			}, [expected.out, expected.logSumExp, expected.probabilities, expected.columnSums, expected.columnSums, expected.out, together(expected)], 5e-6);
		});

		it.skipIf(backend !== 'wasm').each([
			{ heads: 1, kvHeads: 1, dim: 8 }, { heads: 2, kvHeads: 2, dim: 64 }, { heads: 2, kvHeads: 1, dim: 80 }, { heads: 9, kvHeads: 3, dim: 64 },
			{ heads: 4, kvHeads: 1, dim: 56 }, { heads: 5, kvHeads: 1, dim: 24 }, { heads: 7, kvHeads: 1, dim: 128 }, { heads: 16, kvHeads: 2, dim: 96 }
		])('reads one token in WebAssembly of our own, $heads/$kvHeads heads of $dim', async (heads) => {
			const { query, keys, values, bias, at } = scene({ batch: 2, tokens: 1, capacity: 77, ...heads });
			const expected = attentionReference(query, keys, values, bias, at);
			await check(backend, () => {
				const own = wasmAttention({ query: tensor(query), keys: tensor(keys), values: tensor(values), bias: tensor(bias) },
					{ at, probabilities: true, columnSums: true, logSumExp: true, used: 77 });
				expect(own, 'null: no SIMD, or no memory found in the backend').not.toBeNull();
				return own!;
			}, [expected.out, expected.logSumExp, expected.probabilities, expected.columnSums], 5e-6);
		});

		it.skipIf(backend !== 'wasm')('leaves heads that do not fit eight columns to the loop', () => {
			const { query, keys, values, bias, at } = scene({ batch: 1, heads: 2, kvHeads: 1, tokens: 1, capacity: 5, dim: 20 });
			const inputs = { query: tensor(query), keys: tensor(keys), values: tensor(values), bias: tensor(bias) };
			expect(wasmAttention(inputs, { at, probabilities: false, columnSums: false, logSumExp: false, used: 5 })).toBeNull();
			tf.dispose(inputs);
		});

		it.skipIf(backend === 'webgpu')('reads one token by loops as by stock ops', async () => {
			const { query, keys, values, bias, at } = scene({ batch: 3, heads: 6, kvHeads: 2, tokens: 1, capacity: 70, dim: 16 });
			const wanted = { at, probabilities: true, columnSums: true, logSumExp: true, used: 70 };
			const inputs = () => ({ query: tensor(query), keys: tensor(keys), values: tensor(values), bias: tensor(bias) });
			const loops = await numbersOn(backend, () => hostAttention(inputs(), wanted));
			const ops = await numbersOn(backend, () => tf.tidy(() => manyTokens(inputs(), wanted)));
			loops.forEach((numbers, i) => expectClose(numbers, ops[i]));
		});

		it('sees what was written in place since the last call', async () => {
			await openBackend(backend);
			// One row and one head: the case in which wasm would keep a packed copy of the values.
			const [k, v, q, one] = [normal('seen k', 1, 1, 6, 4), normal('seen v', 1, 1, 6, 4), normal('seen q', 1, 2, 1, 4), normal('seen new', 1, 1, 1, 4)];
			const bias: Block = { data: new Float32Array(6), shape: [1, 1, 6] };
			const [keys, values] = [k, v].map((block) => persistentFrom(block.data.slice(), block.shape));
			const [query, places, fresh] = [q, bias, one].map(tensor);
			for (const place of [5, 2]) {
				const at = Int32Array.of(place);
				appendSlots(keys, values, fresh, fresh, at);
				k.data.set(one.data, place * 4);
				v.data.set(one.data, place * 4);
				write(values, 0, Float32Array.of(place, place));
				v.data.fill(place, 0, 2);
				const { out } = attention(query, keys, values, places, at, { outOnly: true });
				expectClose(await read(out), attentionReference(q, k, v, bias, at).out);
				out.dispose();
			}
			tf.dispose([keys, values, query, places, fresh]);
		});

		it.each(PROFILES.filter((profile) => backend === 'webgpu' || profile === 'gpu').flatMap((profile) => [[profile, 5, 41], [profile, 300, 700]] as const))('looks at no place beyond those in use (%s: %i of %i)', async (profile, used, capacity) => {
			setProfile(profile);
			const shape = { batch: 2, heads: 6, kvHeads: 2, tokens: 1, dim: 16 };
			const { query, keys, values, bias, at } = scene({ ...shape, capacity });
			at.fill(used - 1);
			bias.data.forEach((_, i) => i % capacity >= used && (bias.data[i] = -1e30));
			const expected = attentionReference(query, keys, values, bias, at);
			// Were one of them looked at, even with a weight of zero, the result would be no number.
			for (const { data } of [keys, values]) data.forEach((_, i) => Math.floor(i / 16) % capacity >= used && (data[i] = NaN));
			bias.data.forEach((_, i) => i % capacity >= used && (bias.data[i] = 0));
			await check(backend, () => {
				const inputs = [query, keys, values, bias].map(tensor) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
				const { out, logSumExp } = attention(...inputs, at, { used });
				return [out, logSumExp!, attentionTogether(...inputs, at, used), attention(...inputs, at, { outOnly: true, used }).out];
			}, [expected.out, expected.logSumExp, together(expected), expected.out], 5e-6);
		});

		it.skipIf(backend === 'webgpu')('gives the same bits wherever in memory tokens lie', async () => {
			await openBackend(backend);
			const dim = 16;
			const { query, keys, values, bias } = scene({ batch: 1, heads: 3, kvHeads: 1, tokens: 1, capacity: 60, dim });
			const order = Array.from({ length: 60 }, (_, place) => (place * 7) % 60);
			const moved = (block: Block, width: number): Block => ({ shape: block.shape, data: Float32Array.from(block.data, (_, i) => block.data[order[Math.floor(i / width)] * width + (i % width)]) });
			const outs = [];
			for (const blocks of [[query, keys, values, bias], [query, moved(keys, dim), moved(values, dim), moved(bias, 1)]]) {
				const inputs = blocks.map(tensor) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
				const { out } = attention(...inputs, Int32Array.of(blocks[1] === keys ? 0 : order.indexOf(0)), { outOnly: true });
				outs.push(await read(out));
				tf.dispose([...inputs, out]);
			}
			expect(outs[1]).toEqual(outs[0]);
		});

		it('does not let a hidden slot change a bit', async () => {
			await openBackend(backend);
			const { query, keys, values, bias, at } = scene({ batch: 1, heads: 2, kvHeads: 1, tokens: 1, capacity: 30, dim: 8 });
			const run = async () => {
				const inputs = [query, keys, values, bias].map(tensor) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
				const { out } = attention(...inputs, at, { outOnly: true });
				const numbers = await read(out);
				tf.dispose([...inputs, out]);
				return numbers;
			};
			const before = await run();
			const hidden = bias.data.findIndex((b, place) => b <= -1e29 && place !== at[0]);
			keys.data.fill(50, hidden * 8, hidden * 8 + 8);
			values.data.fill(1e6, hidden * 8, hidden * 8 + 8);
			expect(await run()).toEqual(before);
		});

		beforeAll(async () => { await openBackend(backend); });
		it('refuses places that do not fit', () => {
			const [q, c, b] = [tf.zeros([1, 2, 2, 4]), tf.zeros([1, 1, 3, 4]), tf.zeros([1, 1, 3])];
			expect(() => attention(q, c, c, b, Int32Array.of(2))).toThrow(RangeError);
			tf.dispose([q, c, b]);
		});
	});
}
