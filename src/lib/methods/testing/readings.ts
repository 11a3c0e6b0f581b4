/** Second readings in float64 on plain arrays: what the engine draws together on the device. */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import type { MadeReadings, Reading, ReadingView } from '../requests.ts';

/** A text's numbers in one layer, by head, each [tokens, headDim]. */
export interface TextNumbers {
	queries(queryHead: number): ArrayLike<number>;
	keys(head: number): ArrayLike<number>;
	values(head: number): ArrayLike<number>;
	/** Length of each token's normed input. */
	lengths?: ArrayLike<number>;
}

/** What comes of a reading of `tokens` tokens over a layer of `cache`. */
export function drawReading(cache: ArmCache, layer: number, tokens: number, { columns }: Reading, numbers: TextNumbers): ReadingView {
	const { heads, kvHeads, headDim: d } = cache.shape;
	const store = cache.layers[layer];
	const block = columns?.block ?? tokens;
	return {
		n: tokens, blocks: Math.ceil(tokens / block),
		keys: (head) => Float32Array.from(numbers.keys(head)),
		values: (head) => Float32Array.from(numbers.values(head)),
		columns(queryHead, at = 0) {
			const head = Math.floor((queryHead * kvHeads) / heads);
			const [positions, slots, own, queries] = [store.positions(head), store.keys(head), numbers.keys(head), numbers.queries(queryHead)];
			const out = new Float64Array(cache.tokens);
			const end = Math.min(tokens, (at + 1) * block);
			for (let t = at * block; t < end; t++) {
				const weight = (keys: ArrayLike<number>, j: number) => {
					let dot = 0;
					for (let c = 0; c < d; c++) dot += queries[t * d + c] * keys[j * d + c];
					return Math.exp(dot / Math.sqrt(d));
				};
				const { among } = columns!;
				const row = Array.from(positions, (p, j) => (!among || p < among.sinks || (p >= among.from && p < among.to) ? weight(slots, j) : 0));
				let total = row.reduce((a, b) => a + b, 0);
				for (let j = 0; columns!.own && j <= t; j++) total += weight(own, j);
				row.forEach((w, j) => {
					const share = w / total / (columns!.perInput ? numbers.lengths![t] : 1);
					if (columns!.take === 'max') out[positions[j]] = Math.max(out[positions[j]], share);
					else out[positions[j]] += share / (end - at * block);
				});
			}
			return out;
		}
	};
}

/** Readings of a model that does not exist: queries, keys and values are drawn by name. */
export function randomReadings(cache: ArmCache, wanted: ReadonlyMap<string, Reading>, name: string): MadeReadings {
	const { headDim: d, hidden } = cache.shape;
	return cache.layers.map((_, layer) => new Map([...wanted].map(([key, reading]) => {
		const tokens = reading.ids === 'future' ? 8 : reading.ids.length;
		const draw = (what: string) => (head: number) => fixtureNormal(`${name}/${key}/${what}${layer}.${head}`, tokens * d);
		const numbers = { queries: draw('q'), keys: draw('k'), values: draw('v'), lengths: new Float64Array(tokens).fill(Math.sqrt(hidden)) };
		return [key, drawReading(cache, layer, tokens, reading, numbers)];
	})));
}
