/**
 * How software adapters take a softmax apart: one program leaves, for each block of eight places, exp(score - the
 * block's peak) and that peak; the next goes over blocks, adds up values and keeps a running peak. So each exponential is
 * taken once, and not by every thread of the second program.
 */
import { writtenOut } from '../program.ts';

/** Places of a block. */
export const BLOCK = 8;
/** Numbers and vectors that a block leaves: eight weights, the peak, three numbers unused. */
export const BLOCK_NUMBERS = 12;
const VECTORS = BLOCK_NUMBERS / 4;

/** Less than any score, and more than what stands for a hidden place: a row that sees nothing ends with a total of 0. */
const NOTHING = '-1e29';

const four = (first: number, body: (p: number) => string) => `vec4<f32>(${[0, 1, 2, 3].map((i) => body(first + i)).join(', ')})`;

/**
 * WGSL: leaves block number `block` + `nth` of each query head. In scope: `s0_0` … (scaled score of query head and place, block
 * `nth` from place 8 `nth` on), `extra0` … (bias of a place), and the rows `row0` … of the result, of `blocks` blocks each.
 */
export const leaveBlock = (queries: number, blocks: string, nth = 0) => writtenOut('g', queries, (g) => {
	const first = nth * BLOCK;
	const places = Array.from({ length: BLOCK }, (_, p) => first + p);
	const half = (from: number) => `select(vec4<f32>(0.0), exp(${four(from, (p) => `full${p}`)} - peak), ${four(from, (p) => `extra${p}`)} > vec4<f32>(-1e29))`;
	return `{
		${places.map((p) => `let full${p} = select(-1e30, s${g}_${p} + extra${p}, extra${p} > -1e29);`).join(' ')}
		let peak = ${places.map((p) => `full${p}`).reduce((a, b) => `max(${a}, ${b})`)};
		let at = (row${g} * ${blocks} + block + ${nth}) * ${VECTORS};
		result[at] = ${half(first)};
		result[at + 1] = ${half(first + 4)};
		result[at + 2] = vec4<f32>(peak, 0.0, 0.0, 0.0);
	}`;
});

/** WGSL before the loop over blocks: peak and total of query heads 0, 1, … */
export const startSoftmax = (queries: number) => writtenOut('g', queries, (g) => `var peak${g} = ${NOTHING}; var total${g} = 0.0;`);

/**
 * WGSL at the top of a loop over `block` < `blocks`: goes on to the next block of which a place can be seen (or the last),
 * and gives `weights0_0`, `weights0_1`, … (query head, half of the block) relative to the peaks so far. `sums` names what
 * was added up for a query head and shrinks when its peak rises. Binding: `scores` (vec4), read from block `from0`, … on.
 * Places are hidden from all heads of a KV head alike.
 */
export function nextWeights(queries: number, blocks: string, sums: (g: string) => string[]): string {
	const each = (body: (g: string) => string) => writtenOut('g', queries, body);
	return `
		// A software adapter runs what a branch skips, with its results thrown away; only a loop spares it.
		while (scores[(from0 + block) * ${VECTORS} + 2].x <= -1e29 && block < ${blocks} - 1) { block++; }
		${each((g) => `let at${g} = (from${g} + block) * ${VECTORS};
		let high${g} = max(peak${g}, scores[at${g} + 2].x);
		let less${g} = exp(peak${g} - high${g});
		let share${g} = exp(scores[at${g} + 2].x - high${g});
		let weights${g}_0 = scores[at${g}] * share${g};
		let weights${g}_1 = scores[at${g} + 1] * share${g};
		peak${g} = high${g};
		total${g} = total${g} * less${g} + dot(weights${g}_0 + weights${g}_1, vec4<f32>(1.0));
		${sums(g).map((sum) => `${sum} *= less${g};`).join(' ')}`)}`;
}

/** WGSL: the weight that `nextWeights` gave place `p` of the block for query head `g`. */
export const weightOf = (g: string | number, p: string | number) => `weights${g}_${Math.floor(Number(p) / 4)}[${Number(p) % 4}]`;

/** WGSL: whether any query head reads place `p`; what lies at a hidden place may be no number. */
export const isRead = (queries: number, p: string | number) => `${Array.from({ length: queries }, (_, g) => weightOf(g, p)).join(' + ')} > 0.0`;
