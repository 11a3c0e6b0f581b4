/**
 * The model of the kvpress fixture in plain float64 TypeScript: Llama layout, weights from the
 * seeded generator. Independent of the engine, so that methods can be checked without it and the
 * engine against it.
 */
import { ArmCache } from '$lib/cache/arm-cache.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { fnv1a, mulberry32 } from '$lib/numerics/random.ts';
import { inverseFrequencies, rotation } from '$lib/numerics/rope.ts';
import type { LayerStore } from '$lib/cache/layer-cache.ts';
import type { MethodInstance, Reading, ReadingView, Shipped, StepView } from '../define.ts';
import { attentionRow } from '../observe.ts';
import type { MadeReadings } from '../requests.ts';
import { drawReading } from './readings.ts';

export const GOLDEN: ModelShape = {
	id: 'golden', name: 'kvpress fixture', layers: 4, heads: 4, kvHeads: 2, headDim: 16, hidden: 64, vocab: 512,
	context: 512, ropeTheta: 10000, weights: 0
};
export const GOLDEN_INNER = 96;
export const GOLDEN_EPS = 1e-5;
/** Tokens of the prompt, and of the text fed after it. */
export const GOLDEN_PROMPT = 203;
export const GOLDEN_FORCED = 8;

const { layers, heads, kvHeads, headDim: d, hidden, vocab } = GOLDEN;

/** Weights by Hugging Face name, each [rows, columns] row-major. Norm weights are all 1. */
export function goldenWeight(name: string, rows: number, columns: number): Float32Array {
	const scale = name === 'model.embed_tokens.weight' ? 1 : 0.25;
	return fixtureNormal(`golden/${name}`, rows * columns).map((x) => x * scale);
}

/** Names and shapes of all matrices. */
export function goldenMatrices(): { name: string; shape: [number, number] }[] {
	const list: { name: string; shape: [number, number] }[] = [
		{ name: 'model.embed_tokens.weight', shape: [vocab, hidden] },
		{ name: 'lm_head.weight', shape: [vocab, hidden] }
	];
	for (let layer = 0; layer < layers; layer++) {
		const at = `model.layers.${layer}`;
		list.push(
			{ name: `${at}.self_attn.q_proj.weight`, shape: [heads * d, hidden] },
			{ name: `${at}.self_attn.k_proj.weight`, shape: [kvHeads * d, hidden] },
			{ name: `${at}.self_attn.v_proj.weight`, shape: [kvHeads * d, hidden] },
			{ name: `${at}.self_attn.o_proj.weight`, shape: [hidden, heads * d] },
			{ name: `${at}.mlp.gate_proj.weight`, shape: [GOLDEN_INNER, hidden] },
			{ name: `${at}.mlp.up_proj.weight`, shape: [GOLDEN_INNER, hidden] },
			{ name: `${at}.mlp.down_proj.weight`, shape: [hidden, GOLDEN_INNER] }
		);
	}
	return list;
}

/** The filters that the fixture puts in place of calibrated ones. */
export function goldenShipped(name: string): Shipped {
	// DuoAttention's case names its heads: 0 streams, 1 retrieves.
	if (name === 'head-patterns') return { retrieval: Float32Array.from([0, 1, 1, 0, 0, 0, 1, 1]) };
	if (name === 'q-filters') return { filters: fixtureNormal('golden/qfilters', layers * kvHeads * d) };
	throw new Error(`the fixture has no "${name}"`);
}

/** Prompt and forced tokens: all different, so that no two keys of layer 0 have the same length. */
export function goldenIds(): number[] {
	const uniform = mulberry32(fnv1a('golden/input_ids'));
	const draws = Array.from({ length: vocab }, (_, id) => ({ id, u: uniform() }));
	return draws.sort((a, b) => a.u - b.u || a.id - b.id).slice(0, GOLDEN_PROMPT + GOLDEN_FORCED).map(({ id }) => id);
}

function times(weight: Float32Array, x: Float64Array): Float64Array {
	const out = new Float64Array(weight.length / x.length);
	for (let row = 0, at = 0; row < out.length; row++) for (let c = 0; c < x.length; c++, at++) out[row] += weight[at] * x[c];
	return out;
}

function normed(x: Float64Array): Float64Array {
	const scale = 1 / Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + GOLDEN_EPS);
	return x.map((value) => value * scale);
}

/** Turns channel i with i + d/2, in place, for each head of a flat vector. */
function rotate(x: Float64Array, angle: number): Float64Array {
	for (let head = 0; head < x.length; head += d) {
		for (let i = 0; i < d / 2; i++) {
			const turn = angle * GOLDEN.ropeTheta ** ((-2 * i) / d);
			const [a, b] = [x[head + i], x[head + i + d / 2]];
			x[head + i] = a * Math.cos(turn) - b * Math.sin(turn);
			x[head + i + d / 2] = b * Math.cos(turn) + a * Math.sin(turn);
		}
	}
	return x;
}

/** What a token reads at one layer: its rotated query [heads x d], key and value [kvHeads x d] -> [heads x d]. */
type Read = (layer: number, query: Float64Array, key: Float64Array, value: Float64Array, input: Float64Array) => Float64Array;

/** Prompt as the fixture's reference sees it. */
export interface GoldenPrompt {
	/** [kvHeads, n, d] by layer. */
	keys: Float64Array[];
	values: Float64Array[];
	/** [heads, n, d] by layer, rotated. */
	queries: Float64Array[];
	/** [n] by layer: length of the normed input. */
	inputLengths: Float64Array[];
	/** Of the last token. */
	logits: Float64Array;
}

export class GoldenModel {
	private readonly weights = new Map<string, Float32Array>();

	constructor() {
		for (const { name, shape } of goldenMatrices()) this.weights.set(name, goldenWeight(name, ...shape));
	}

	weight(name: string): Float32Array {
		return this.weights.get(name)!;
	}

	/** One token through all layers; `read` stores its key and value and attends. */
	token(id: number, angle: number, read: Read): Float64Array {
		let x = Float64Array.from(this.weight('model.embed_tokens.weight').subarray(id * hidden, (id + 1) * hidden));
		for (let layer = 0; layer < layers; layer++) {
			const of = (name: string) => this.weight(`model.layers.${layer}.${name}.weight`);
			const input = normed(x);
			const query = rotate(times(of('self_attn.q_proj'), input), angle);
			const key = rotate(times(of('self_attn.k_proj'), input), angle);
			const out = times(of('self_attn.o_proj'), read(layer, query, key, times(of('self_attn.v_proj'), input), input));
			x = x.map((value, i) => value + out[i]);
			const inner = normed(x);
			const gate = times(of('mlp.gate_proj'), inner);
			const up = times(of('mlp.up_proj'), inner);
			const down = times(of('mlp.down_proj'), gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]));
			x = x.map((value, i) => value + down[i]);
		}
		return times(this.weight('lm_head.weight'), normed(x));
	}

	prefill(ids: readonly number[]): GoldenPrompt {
		const n = ids.length;
		const keys = Array.from({ length: layers }, () => new Float64Array(kvHeads * n * d));
		const values = keys.map((each) => new Float64Array(each.length));
		const queries = keys.map(() => new Float64Array(heads * n * d));
		const inputLengths = keys.map(() => new Float64Array(n));
		const positions = Int32Array.from(ids, (_, i) => i);
		let logits = new Float64Array(0);
		ids.forEach((id, t) => {
			logits = this.token(id, t, (layer, query, key, value, input) => {
				const out = new Float64Array(heads * d);
				inputLengths[layer][t] = Math.hypot(...input);
				for (let head = 0; head < kvHeads; head++) {
					keys[layer].set(key.subarray(head * d, (head + 1) * d), (head * n + t) * d);
					values[layer].set(value.subarray(head * d, (head + 1) * d), (head * n + t) * d);
				}
				for (let h = 0; h < heads; h++) {
					const q = query.subarray(h * d, (h + 1) * d);
					queries[layer].set(q, (h * n + t) * d);
					const from = kvHeadOf(h) * n * d;
					const row = attentionRow(q, keys[layer].subarray(from, from + (t + 1) * d), positions.subarray(0, t + 1), t);
					for (let j = 0; j <= t; j++) for (let c = 0; c < d; c++) out[h * d + c] += row[j] * values[layer][from + j * d + c];
				}
				return out;
			}) as Float64Array<ArrayBuffer>;
		});
		return { keys, values, queries, inputLengths, logits };
	}

	/** Readings over the full cache of the prompt. */
	read(full: ArmCache, wanted: ReadonlyMap<string, Reading>): MadeReadings {
		const made = full.layers.map(() => new Map<string, ReadingView>());
		for (const [key, reading] of wanted) {
			const ids = reading.ids as readonly number[];
			const before = reading.over === 'prompt' ? full.tokens : 0;
			// Both the prompt's pairs and the text's own, by layer, as the text is read on.
			const numbers = this.prefill([...(before ? goldenIds().slice(0, before) : []), ...ids]);
			const n = before + ids.length;
			made.forEach((layer, l) => {
				const part = (all: Float64Array, head: number) => all.subarray((head * n + before) * d, (head + 1) * n * d);
				layer.set(key, drawReading(full, l, ids.length, reading, {
					queries: (h) => part(numbers.queries[l], h), keys: (h) => part(numbers.keys[l], h), values: (h) => part(numbers.values[l], h),
					lengths: numbers.inputLengths[l].subarray(before)
				}));
			});
		}
		return made;
	}

	/** One token over an arm's cache, which grows by it; its methods act. Gives the logits. */
	decode(arm: ArmCache, id: number, methods: readonly MethodInstance[] = [], step = 0): Float64Array {
		const position = arm.tokens;
		const angle = arm.nextPosition();
		const steps: StepView[] = [];
		const logits: Float64Array = this.token(id, angle, (layer, query, key, value) => {
			for (let head = 0; head < kvHeads; head++) {
				const part = (x: Float64Array) => Float32Array.from(x.subarray(head * d, (head + 1) * d));
				arm.append(layer, head, part(key), part(value), position, angle);
			}
			const store = arm.layers[layer];
			const queryOf = (h: number) => Float32Array.from(query.subarray(h * d, (h + 1) * d));
			for (const method of methods) method.attending?.(store, { step, position, model: GOLDEN, query: queryOf });
			const positions = Array.from({ length: kvHeads }, (_, head) => store.positions(head));
			const reads = Array.from({ length: heads }, (_, h) => readOut(store, kvHeadOf(h), query.subarray(h * d, (h + 1) * d)));
			steps[layer] = {
				step, position, model: GOLDEN, rope: arm.rope, query: queryOf,
				positions: (head) => positions[head], attention: (h) => Float32Array.from(reads[h].attention),
				nextLogits: () => Float32Array.from(logits)
			};
			return Float64Array.from(reads.flatMap(({ out }) => Array.from(out)));
		});
		for (const layer of arm.layers) for (const method of methods) method.appended?.(layer, steps[layer.layer]);
		return logits;
	}
}

const kvHeadOf = (queryHead: number): number => Math.floor((queryHead * kvHeads) / heads);

/** What one query reads from one head, hidden slots left out and the summary mixed in: softmax over slots and summary. */
function readOut(store: LayerStore, head: number, query: Float64Array): { attention: Float64Array; out: Float64Array } {
	const keys = store.keys(head);
	const values = store.values(head);
	const hidden = store.hidden(head);
	const bias = store.bias(head);
	const summary = store.summary(head);
	const dot = (x: ArrayLike<number>, at: number) => query.reduce((sum, q, c) => sum + q * x[at + c], 0) / Math.sqrt(d);
	const weights = Float64Array.from(hidden, (flag, slot) => (flag ? 0 : Math.exp(dot(keys, slot * d) + bias[slot])));
	const own = summary ? Math.exp(summary.logCount + dot(summary.meanKey, 0)) : 0;
	const total = weights.reduce((sum, weight) => sum + weight, own);
	const out = new Float64Array(d);
	weights.forEach((weight, slot) => {
		for (let c = 0; c < d; c++) out[c] += (weight / total) * values[slot * d + c];
	});
	for (let row = 0; summary && row < d; row++) {
		let answer = summary.meanValue[row];
		for (let c = 0; c < d; c++) answer += summary.matrix[row * d + c] * query[c];
		out[row] += (own / total) * answer;
	}
	return { attention: weights.map((weight) => weight / total), out };
}

/** The prompt as an arm's cache (float32, as the engine holds it). */
export function goldenArm(prompt: GoldenPrompt): ArmCache {
	const n = prompt.keys[0].length / (kvHeads * d);
	return ArmCache.fromPrompt({
		shape: GOLDEN,
		n,
		keys: (layer) => Float32Array.from(prompt.keys[layer]),
		values: (layer) => Float32Array.from(prompt.values[layer]),
		rope: rotation(inverseFrequencies(d, GOLDEN.ropeTheta))
	});
}
