/**
 * What the engine would show to methods, computed in float64 from plain arrays; and a stand-in for
 * the lab that runs methods on a small random cache.
 */
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { random } from '$lib/numerics/random.ts';
import type { AttendView, MethodInstance, PromptView, StepView } from '../define.ts';
import { attentionRow } from '../observe.ts';
import { readingOf, Requests, type PromptText, type ReadingView } from '../requests.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { randomReadings } from './readings.ts';
import { randomSupplies } from './supplies.ts';

/** A prompt's view from the untouched cache, its queries by query head, each [n, headDim], readings by their keys, and what is said next. */
export function promptView(full: ArmCache, layer: number, queries: (queryHead: number) => ArrayLike<number>, readings: ReadonlyMap<string, ReadingView> = new Map(), logits: Float32Array = new Float32Array(full.shape.vocab)): PromptView {
	const { shape, rope } = full;
	const d = shape.headDim;
	const store = full.layers[layer];
	const n = store.length(0);
	return {
		n, model: shape, rope,
		keys: (head) => store.keys(head),
		values: (head) => store.values(head),
		keysBefore: (head) => rope.rotate(store.keys(head), Int32Array.from({ length: n }, (_, i) => -i), d),
		queries: (queryHead) => Float32Array.from(queries(queryHead)),
		queriesBefore: (queryHead) => rope.rotate(Float32Array.from(queries(queryHead)), Int32Array.from({ length: n }, (_, i) => -i), d),
		nextLogits: () => logits,
		reading: (reading) => readingOf(readings, reading),
		attentionSums(queryHead) {
			const head = Math.floor((queryHead * shape.kvHeads) / shape.heads);
			const keys = store.keys(head);
			const positions = store.positions(head);
			const all = Float32Array.from(queries(queryHead));
			const sums = new Float64Array(n);
			for (let i = 0; i < n; i++) {
				attentionRow(all.subarray(i * d, (i + 1) * d), keys, positions, i).forEach((p, j) => (sums[j] += p));
			}
			return sums;
		}
	};
}

/** Runs a stack of methods on one arm, with random queries and tokens. */
export class Rig {
	readonly instances: MethodInstance[];
	readonly arm: ArmCache;
	/** What the methods asked for at their start. */
	readonly requests = new Requests();
	private step = 0;
	/** Attention of the last step, [layer][query head], over the slots at the read. */
	lastAttention: Float32Array[][] = [];

	constructor(
		readonly full: ArmCache,
		readonly stack: unknown[],
		readonly name = 'rig'
	) {
		this.arm = full.fork();
		this.requests.supply(randomSupplies(full.shape, name));
		const text: PromptText = {
			ids: Array.from({ length: full.tokens }, (_, i) => (7 * i) % full.shape.vocab),
			encode: (words) => Array.from(words, (letter) => letter.charCodeAt(0) % full.shape.vocab),
			embedding: (id) => fixtureNormal(`${name}/e${id}`, full.shape.hidden)
		};
		const facts = { model: full.shape, random: random(name), promptTokens: full.tokens, text, requests: this.requests };
		const specs = stack.map((spec, i) => readMethodSpec(spec, `stack[${i}]`));
		this.instances = specs.map((spec, i) => startMethod(spec, { ...facts, after: specs.slice(i + 1) }, `stack[${i}]`));
	}

	get shape(): ModelShape {
		return this.full.shape;
	}

	/** Queries of the prompt, [n, headDim] of one query head. */
	queries(layer: number, queryHead: number): Float32Array {
		return fixtureNormal(`${this.name}/q${layer}.${queryHead}`, this.full.tokens * this.shape.headDim);
	}

	/** Logits of the token after the one at `position`, [vocab]. */
	logits(position: number): Float32Array {
		return fixtureNormal(`${this.name}/l${position}`, this.shape.vocab);
	}

	prefill(): this {
		const made = randomReadings(this.full, this.requests.readings, this.name);
		const views = this.arm.layers.map((_, index) => promptView(this.full, index, (queryHead) => this.queries(index, queryHead), made[index], this.logits(this.full.tokens - 1)));
		this.instances.forEach((instance, i) => {
			this.arm.begin(-1, `${i}`);
			if (instance.prefilledAll) instance.prefilledAll(this.arm.layers, views);
			else this.arm.layers.forEach((layer, index) => instance.prefilled?.(layer, views[index]));
		});
		return this;
	}

	/** One decode step of a random token. */
	decode(): void {
		const { shape, arm, step } = this;
		const d = shape.headDim;
		const position = arm.tokens;
		const angle = arm.nextPosition();
		this.lastAttention = [];
		arm.layers.forEach((layer, index) => {
			for (let head = 0; head < shape.kvHeads; head++) {
				const made = (what: string) => fixtureNormal(`${this.name}/${what}${index}.${head}.${position}`, d);
				arm.append(index, head, made('k'), made('v'), position, angle);
			}
			const query = (queryHead: number) => fixtureNormal(`${this.name}/sq${index}.${queryHead}.${position}`, d);
			const attend: AttendView = { step, position, model: shape, query };
			for (const instance of this.instances) instance.attending?.(layer, attend);
			const positions = Array.from({ length: shape.kvHeads }, (_, head) => layer.positions(head));
			const attention = Array.from({ length: shape.heads }, (_, queryHead) => {
				const head = Math.floor((queryHead * shape.kvHeads) / shape.heads);
				const hidden = layer.hidden(head);
				const bias = Float64Array.from(layer.bias(head), (value, slot) => (hidden[slot] ? -1e30 : value));
				return Float32Array.from(attentionRow(query(queryHead), layer.keys(head), positions[head], position, bias));
			});
			this.lastAttention.push(attention);
			const seen: StepView = {
				step, position, model: shape, rope: arm.rope, query,
				positions: (head) => positions[head],
				attention: (queryHead) => attention[queryHead],
				nextLogits: () => this.logits(position)
			};
			for (const instance of this.instances) instance.appended?.(layer, seen);
		});
		this.step++;
	}
}
