/**
 * Attention of one token a row in WebAssembly, four numbers at a time: scores of listed places, and the
 * weighted sum of their values. A module is made for one width of head and up to four query heads that
 * read the same KV head, so that a key or a value is loaded once for all of them.
 */
import { $, br_if, f32, f32x4, f64, f64x2, func, i32, local, loop, v128, type Local } from 'wasmati';
import { ownWasm } from '../own-wasm.ts';

/** Query heads that one call can take. */
export const MOST_HEADS = 4;

/** Whether heads of this width can be read; others take the loop. */
export const fits = (dim: number): boolean => dim % 8 === 0;

/**
 * `scores(query, keys, places, weights, count, stride)`: weights[g][i] = query[g] . keys[places[i]];
 * `mix(values, places, weights, out, count, stride)`: out[g] = sum over i of weights[g][i] values[places[i]].
 * All but `count` and `stride` (bytes between two heads' weights) are addresses in bytes. Null without SIMD.
 */
export const attentionWasm = (dim: number, heads: number) =>
	ownWasm(`attention ${dim} ${heads}`, () => ({ scores: scores(dim, heads), mix: mix(dim, heads) }));

const ROW = 4;
const PAIR = 8;
const VECTOR = 16;

function scores(dim: number, heads: number) {
	// A single head sums in two registers, or each addition waits for the one before.
	const chains = heads === 1 ? 2 : 1;
	return func(
		{ in: [i32, i32, i32, i32, i32, i32], locals: [i32, i32, v128, ...Array<typeof v128>(heads * chains).fill(v128)], out: [] },
		([query, keys, places, weights, count, stride], [key, to, loaded, ...sums]) => {
			loop({}, () => {
				local.set(key, i32.add(i32.mul(i32.load({}, places), dim * ROW), keys));
				for (let vector = 0; vector < dim / 4; vector++) {
					local.set(loaded, v128.load({ offset: vector * VECTOR }, key));
					for (let g = 0; g < heads; g++) {
						const sum = sums[g * chains + (vector % chains)];
						f32x4.mul(loaded, v128.load({ offset: g * dim * ROW + vector * VECTOR }, query));
						if (vector >= chains) f32x4.add(sum, $);
						local.set(sum, $);
					}
				}
				local.set(to, weights);
				for (let g = 0; g < heads; g++) {
					if (chains === 2) local.set(sums[g], f32x4.add(sums[2 * g], sums[2 * g + 1]));
					storeTotal(to, sums[g * chains]);
					if (g < heads - 1) local.set(to, i32.add(to, stride));
				}
				nextPlace(places, weights, count);
			});
		}
	);
}

/** Sums are in float64, so that the order in which tokens lie in memory does not show in a result of float32. */
function mix(dim: number, heads: number) {
	// As many pairs of columns at once as leave all sums in the sixteen registers of most machines.
	const wide = largest(dim / 2, heads === 1 ? 8 : heads === 2 ? 4 : 2);
	return func(
		{ in: [i32, i32, i32, i32, i32, i32], locals: [i32, i32, i32, i32, i32, i32, v128, ...Array<typeof v128>(heads * (wide + 1)).fill(v128)], out: [] },
		([values, places, weights, out, count, stride], [column, place, weight, left, value, at, loaded, ...registers]) => {
			const sums = registers.slice(0, heads * wide);
			const shares = registers.slice(heads * wide);
			local.set(column, dim / 2 / wide);
			loop({}, () => {
				for (const sum of sums) local.set(sum, f64x2.splat(f64.const(0)));
				local.set(place, places);
				local.set(weight, weights);
				local.set(left, count);
				loop({}, () => {
					local.set(value, i32.add(i32.mul(i32.load({}, place), dim * ROW), values));
					local.set(at, weight);
					for (let g = 0; g < heads; g++) {
						local.set(shares[g], f64x2.splat(f64.promote_f32(f32.load({}, at))));
						if (g < heads - 1) local.set(at, i32.add(at, stride));
					}
					for (let c = 0; c < wide; c++) {
						local.set(loaded, f64x2.promote_low_f32x4(v128.load64_zero({ offset: c * PAIR }, value)));
						for (let g = 0; g < heads; g++) {
							const sum = sums[g * wide + c];
							local.set(sum, f64x2.add(sum, f64x2.mul(loaded, shares[g])));
						}
					}
					nextPlace(place, weight, left);
				});
				for (let g = 0; g < heads; g++) {
					for (let c = 0; c < wide; c++) {
						local.set(loaded, f32x4.demote_f64x2_zero(sums[g * wide + c]));
						v128.store64_lane({ offset: g * dim * ROW + c * PAIR }, 0, out, loaded);
					}
				}
				// The next columns of the same rows.
				local.set(values, i32.add(values, wide * PAIR));
				local.set(out, i32.add(out, wide * PAIR));
				local.set(column, i32.sub(column, 1));
				local.get(column);
				br_if(0);
			});
		}
	);
}

/** Sum of the four numbers of `sum` into memory. */
function storeTotal(to: Local<'i32'>, sum: Local<'v128'>): void {
	const lane = (n: 0 | 1 | 2 | 3) => f32x4.extract_lane(n, sum);
	local.get(to);
	f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3)));
	f32.store({}, $, $);
}

/** Goes on to the next place while one is left; the last lines of a loop. */
function nextPlace(place: Local<'i32'>, weight: Local<'i32'>, left: Local<'i32'>): void {
	local.set(place, i32.add(place, ROW));
	local.set(weight, i32.add(weight, ROW));
	local.set(left, i32.sub(left, 1));
	local.get(left);
	br_if(0);
}

/** The largest divisor of `count` that is at most `most`. */
function largest(count: number, most: number): number {
	let divisor = most;
	while (count % divisor !== 0) divisor--;
	return divisor;
}
