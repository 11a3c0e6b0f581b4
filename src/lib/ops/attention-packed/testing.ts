/** Random packed caches, written down twice: as pages, and decoded as plain numbers. For tests and benches. */
import { random, type Random } from '$lib/numerics/random.ts';
import { halfBits, halfValue } from '$lib/numerics/half.ts';
import { Scatter } from '../scatter/index.ts';
import type { Block } from '../testing.ts';
import { codeWords, rulerWord, type Bits, type PackedFormat, type SideFormat } from './format.ts';
import { PackedPool } from './pool.ts';

export interface Scene {
	batch: number;
	heads: number;
	kvHeads: number;
	tokens: number;
	format: PackedFormat;
	/** Pages of each row and KV head. */
	pages: number[];
	seed: string;
}

export interface Packed {
	pool: PackedPool;
	scatter: Scatter;
	/** Decoded, [batch x kvHeads][places x headDim], places counted as the pool counts them, and the biases. */
	keys: Float64Array[];
	values: Float64Array[];
	bias: Float64Array[];
}

interface Ruler {
	step: number;
	zero: number;
}

export function packedScene({ batch, kvHeads, format, pages, seed }: Scene): Packed {
	const draw = random(seed);
	const scatter = new Scatter();
	const pool = new PackedPool(format, batch, kvHeads, format.rows * Math.max(1, ...pages), scatter);
	const places = format.rows * Math.max(0, ...pages);
	const blank = () => pages.map(() => new Float64Array(places * format.headDim));
	const packed: Packed = { pool, scatter, keys: blank(), values: blank(), bias: pages.map(() => new Float64Array(places).fill(-Infinity)) };
	// Heads take their pages in turn, so that no head's pages lie together; page slot 1 is taken twice.
	for (let slot = 0; slot < Math.max(0, ...pages); slot++) {
		pages.forEach((count, head) => slot < count && fillPage(packed, head, pool.take(head), draw));
		if (slot !== 1) continue;
		pages.forEach((count, head) => slot < count && pool.release(head, 1));
		pages.forEach((count, head) => slot < count && fillPage(packed, head, pool.take(head), draw));
	}
	return packed;
}

function fillPage({ pool, keys, values, bias }: Packed, head: number, slot: number, draw: Random): void {
	const { format } = pool;
	for (const [which, all] of [['key', keys[head]], ['value', values[head]]] as const) {
		const numbers = fillSide(pool, which, head, slot, draw);
		all.set(numbers, slot * format.rows * format.headDim);
	}
	for (let row = 0; row < format.rows; row++) {
		const kind = draw.uniform();
		const b = kind < 0.2 ? -1e30 : kind < 0.3 ? Math.fround(Math.log(3)) : 0;
		// Rows are hidden until they are given a bias.
		if (kind >= 0.1) pool.setBias(head, slot, row, b);
		bias[head][slot * format.rows + row] = kind < 0.2 ? -Infinity : b;
	}
}

function fillSide(pool: PackedPool, which: 'key' | 'value', head: number, slot: number, draw: Random): Float64Array {
	const { rows, headDim: d } = pool.format;
	const side = pool.format[which];
	const numbers = new Float64Array(rows * d);
	const shared = Array.from({ length: d }, () => drawRuler(side, draw));
	if (side.axis === 'channel') pool.setPageRulers(which, head, slot, wordsOf(shared));
	for (let row = 0; row < rows; row++) {
		const own = side.axis === 'channel' ? shared : Array.from({ length: Math.ceil(d / side.group) }, () => drawRuler(side, draw));
		if (side.axis === 'token') pool.setRowRulers(which, head, slot, row, wordsOf(own));
		const most = side.symmetric ? 2 ** side.bits - 2 : 2 ** side.bits - 1;
		const codes = Array.from({ length: d }, () => draw.int(0, most));
		pool.setCodes(which, head, slot, row, codeWords(codes, side.bits));
		codes.forEach((code, c) => {
			const { step, zero } = own[side.axis === 'channel' ? c : Math.floor(c / side.group)];
			numbers[row * d + c] = (code - (side.symmetric ? 2 ** (side.bits - 1) - 1 : 0)) * step + zero;
		});
	}
	return numbers;
}

const wordsOf = (rulers: Ruler[]) => Int32Array.from(rulers, ({ step, zero }) => rulerWord(halfBits(step), halfBits(zero)));

/** As real ones are: about 4 standard deviations wide; now and then a step of 0 or a tiny one (a subnormal half). */
function drawRuler({ bits, symmetric }: SideFormat, draw: Random): Ruler {
	const kind = draw.uniform();
	const width = (kind < 0.05 ? 0 : kind < 0.1 ? 1e-3 : 2 + 2 * draw.uniform()) / (2 ** bits - 1);
	const zero = symmetric ? 0 : kind < 0.1 ? 3e-5 * draw.normal() : -2 * draw.uniform();
	return { step: halfValue(halfBits(width)), zero: halfValue(halfBits(zero)) };
}

/** Attention in float64 over plain numbers and, before them, over `base` [batch, heads, tokens, …], from the definition. */
export function packedReference(query: Block, scene: Scene, packed: Packed[], base?: { out: Block; log: Block }) {
	const { batch, heads, kvHeads, tokens } = scene;
	const d = query.shape[3];
	const count = batch * heads * tokens;
	const out = new Float64Array(count * d);
	const log = new Float64Array(count).fill(-1e30);
	const shares = packed.map(({ bias }) => new Float64Array(count * bias[0].length));
	for (let row = 0; row < count; row++) {
		const head = Math.floor(row / tokens);
		const kv = Math.floor(head / heads) * kvHeads + Math.floor((head % heads) / (heads / kvHeads));
		const q = query.data.subarray(row * d, (row + 1) * d);
		const scores = packed.map(({ keys, bias }) => Array.from(bias[kv], (b, place) => {
			let dot = 0;
			for (let c = 0; c < d; c++) dot += q[c] * keys[kv][place * d + c];
			return dot / Math.sqrt(d) + b;
		}));
		const all = [base?.log.data[row] ?? -Infinity, ...scores.flat()];
		const peak = Math.max(...all);
		if (peak === -Infinity) continue;
		const total = all.reduce((sum, score) => sum + Math.exp(score - peak), 0);
		log[row] = peak + Math.log(total);
		if (base) for (let c = 0; c < d; c++) out[row * d + c] = base.out.data[row * d + c] * Math.exp(base.log.data[row] - log[row]);
		scores.forEach((list, i) => list.forEach((score, place) => {
			const p = Math.exp(score - log[row]);
			shares[i][row * list.length + place] = p;
			for (let c = 0; c < d; c++) out[row * d + c] += p * packed[i].values[kv][place * d + c];
		}));
	}
	return { out, log, shares };
}

export const side = (bits: Bits, axis: SideFormat['axis'], group: number, symmetric = false): SideFormat => ({ bits, axis, group, symmetric });
