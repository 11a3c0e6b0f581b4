/**
 * A made-up run for tests and for drawing before a model is there. Nothing in it was measured: it
 * is never part of the site. Seeded, with the shape and the quirks of real traces: sinks, windows,
 * heads that differ, a diverging word, encodings, decisions, probes.
 */
import {
	BILL_ITEMS, CELL_STATES, PROMPT_STEP, type ArmStepTrace, type ArmTrace, type Bill, type BillItem, type Candidate,
	type CellDiff, type CellState, type ModelShape, type Probe, type ProbeOf, type ProbeRequest, type Trace, type TraceSource,
	type VerbRecord
} from '$lib/documents/trace.ts';
import { positionsAt } from '$lib/documents/read.ts';
import { random, type Random } from '$lib/numerics/random.ts';

export interface SyntheticOptions {
	seed?: number;
	prompt?: number;
	steps?: number;
	layers?: number;
	arms?: ('snapkv' | 'kivi' | 'streaming-llm' | 'mixed')[];
	done?: boolean;
}

const index = (state: CellState) => CELL_STATES.indexOf(state);
const STORY = ('Once upon a time there was a small grey mouse named Pim . Pim kept a silver box under the stairs . ' +
	'The box had a secret code , and the code was 7 4 9 1 . Every night Pim said the code three times so he would not forget . ' +
	'One day it rained and rained . The river came up to the door and the stairs got wet . Pim ran to his friend Ola . ' +
	'" Help me , " said Pim . " I must open my box . " Ola asked : " What is the code of the silver box ? "').split(' ');
const FULL = ['7', '4', '9', '1', '.', '"', 'Ola', 'opened', 'the', 'box', 'and', 'smiled', '.', 'They', 'were', 'happy'];
const OTHER: Record<string, string[]> = {
	snapkv: ['7', '4', '2', '.', '"', 'Pim', 'was', 'very', 'happy', 'and', 'he', 'went', 'home', '.', 'The', 'end'],
	kivi: ['7', '4', '9', '1', '.', '"', 'Ola', 'opened', 'it', 'and', 'they', 'ate', 'cake', '.', 'The', 'end'],
	'streaming-llm': ['9', '9', '9', '.', '"', 'Pim', 'said', 'no', '.', 'It', 'was', 'dark', 'and', 'cold', '.', 'The'],
	mixed: FULL
};
const spaced = (word: string, i: number) => (i > 0 && !/^[.,":?]$/.test(word) ? ` ${word}` : word);

function bill(stored: number, full: number, share: number, positions: number, window: number): Bill {
	const items = Object.fromEntries(BILL_ITEMS.map((item) => [item, 0])) as Record<BillItem, number>;
	items.payload = Math.round(stored * share);
	items.scales = share < 1 ? Math.round(stored / 32) : 0;
	items.zeros = items.scales;
	items.positions = positions;
	items.window = window;
	const total = Object.values(items).reduce((a, b) => a + b, 0);
	return { total, fast: total, items, ratio: full / total, bitsPerNumber: (8 * total) / (full / 2), payloadK: items.payload / 2, payloadV: items.payload / 2 };
}

function candidates(rng: Random, best: string, p: number): Candidate[] {
	const words = [best, ...rng.sample([' the', ' a', ' 2', ' 7', ' and', ' box', '.', ' Pim'].filter((w) => w !== best), 5)];
	let left = 1 - p;
	return words.map((text, i) => {
		const share = i === 0 ? p : left * 0.5;
		if (i > 0) left -= share;
		return { id: 100 + i, text, p: share };
	});
}

function decision(rng: Random, n: number, keep: number, protect: (p: number) => boolean) {
	const attention = Float32Array.from({ length: n }, () => rng.uniform() ** 3 * 0.02);
	const scores = attention.map((_, i) => (attention[Math.max(0, i - 1)] + attention[i] + attention[Math.min(n - 1, i + 1)]) / 3);
	const free = [...scores.keys()].filter((p) => !protect(p)).sort((a, b) => scores[b] - scores[a]);
	const kept = free.slice(0, Math.max(1, keep));
	return {
		kept,
		decision: {
			positions: Int32Array.from({ length: n }, (_, i) => i), scores,
			protected: Uint8Array.from({ length: n }, (_, i) => (protect(i) ? 1 : 0)),
			terms: [{ name: 'mean attention of 8 window queries', values: attention }],
			cut: scores[kept[kept.length - 1]], meaning: 'attention of the window, pooled over 3 neighbours'
		}
	};
}

function makeArm(kind: string, letter: number, rng: Random, model: ModelShape, n: number, steps: number): ArmTrace {
	const span = n + steps;
	const cells = new Uint8Array(model.layers * model.kvHeads * span);
	const verbs: VerbRecord[] = [];
	const kept: number[][][] = [];
	const diffs: CellDiff[] = [];
	const row = (layer: number, head: number) => (layer * model.kvHeads + head) * span;
	const lane = 2 * model.headDim * 2;
	const lanes = model.layers * model.kvHeads;
	let stored = 0;
	for (let layer = 0; layer < model.layers; layer++) {
		kept.push([]);
		for (let head = 0; head < model.kvHeads; head++) {
			const start = row(layer, head);
			const window = (p: number) => p >= n - 8;
			const sink = (p: number) => p < (kind === 'streaming-llm' ? 4 : 1);
			const keep = kind === 'kivi' ? n : Math.round(n * (0.15 + 0.15 * rng.uniform()));
			const why = decision(rng, n, keep, (p) => window(p) || sink(p));
			const alive = new Set(kind === 'streaming-llm' ? Array.from({ length: keep }, (_, i) => n - 9 - i) : why.kept);
			for (let p = 0; p < n; p++) {
				let state: CellState = kind === 'kivi' ? (p < n - 32 ? 'b2' : 'window') : sink(p) ? 'sink' : window(p) ? 'window' : alive.has(p) ? 'kept' : 'evicted';
				if (kind === 'mixed' && state === 'kept') state = rng.pick(['b8', 'b4', 'b4', 'b2', 'merged'] as const);
				cells[start + p] = index(state);
				if (state !== 'evicted') stored++;
			}
			const all = [...Array(n).keys()].filter((p) => cells[start + p] !== index('evicted'));
			kept[layer].push(all);
			if (kind !== 'kivi') verbs.push({ verb: 'keep', by: kind === 'mixed' ? 'snapkv' : kind, step: PROMPT_STEP, layer, head, positions: Int32Array.from(all), decision: kind === 'streaming-llm' ? undefined : why.decision });
			if (kind === 'kivi') for (const which of ['K', 'V'] as const) verbs.push({ verb: 'encode', by: 'kivi', step: PROMPT_STEP, layer, head, positions: Int32Array.from({ length: n - 32 }, (_, i) => i), which, codec: '2 bits, groups of 32', bits: 2 });
		}
	}
	const texts = OTHER[kind].map((word) => spaced(word, 1));
	const list: ArmStepTrace[] = [];
	for (let step = 0; step < steps; step++) {
		const position = n + step - 1;
		if (step > 0) {
			const at = Uint32Array.from({ length: lanes }, (_, i) => i * span + position);
			diffs.push({ step, cells: at, states: new Uint8Array(lanes).fill(index(kind === 'kivi' ? 'window' : 'kept')) });
		}
		const agrees = kind === 'mixed' || texts[step % 16] === spaced(FULL[step % 16], 1);
		const p = agrees ? 0.7 + 0.25 * rng.uniform() : 0.35 + 0.2 * rng.uniform();
		const full = candidates(rng, spaced(FULL[step % 16], 1), 0.6 + 0.35 * rng.uniform());
		const nowFull = (n + step) * lane * lanes;
		const nowStored = (stored + step * lanes) * lane;
		list.push({
			token: texts[step % 16].length * 31 + texts[step % 16].charCodeAt(texts[step % 16].length - 1), text: texts[step % 16], top: candidates(rng, texts[step % 16], p), nll: -Math.log(p),
			kl: agrees ? 0.002 + 0.1 * rng.uniform() ** 3 : 0.5 + 2 * rng.uniform(), agrees, fullTop: full,
			pOfFullTop: full.map((c, i) => (agrees ? c.p * 0.95 : i === 0 ? 0.1 : c.p)),
			bill: bill(nowStored, nowFull, kind === 'kivi' ? 0.2 : kind === 'mixed' ? 0.5 : 1, kind === 'kivi' ? 0 : (stored + step * lanes) * 2, kind === 'kivi' ? 32 * lanes * lane : 0)
		});
	}
	const names: Record<string, string> = { snapkv: 'SnapKV', kivi: 'KIVI, 2 bits', 'streaming-llm': 'Sinks and recent', mixed: 'SnapKV, then KIVI' };
	return {
		label: names[kind] ?? `arm ${letter}`, stack: (kind === 'mixed' ? ['snapkv', 'kivi'] : [kind]).map((method) => ({ method, params: {} })),
		steps: list, text: texts.slice(0, steps).join(''), span, cells, diffs, verbs, billAfterPrompt: list[0].bill, kept,
		task: { correct: kind !== 'snapkv' && kind !== 'streaming-llm', answer: texts.slice(0, 4).join('').trim() }
	};
}

/** A complete made-up trace. */
export function syntheticTrace(options: SyntheticOptions = {}): Trace {
	const { seed = 7, prompt = 128, steps = 12, layers = 8, arms = ['snapkv', 'kivi', 'mixed', 'streaming-llm'], done = true } = options;
	const rng = random(seed);
	const model: ModelShape = {
		id: 'synthetic', name: 'synthetic', layers, heads: 8, kvHeads: 4, headDim: 32, hidden: 256, vocab: 4096,
		context: 1536, ropeTheta: 10000, weights: 4_600_000
	};
	const words = Array.from({ length: prompt }, (_, i) => STORY[(i + Math.max(0, STORY.length - prompt)) % STORY.length]);
	const texts = words.map(spaced);
	const needle = Math.max(0, words.indexOf('7'));
	const reference = FULL.map((word) => spaced(word, 1));
	const rows = Array.from({ length: steps }, (_, i) => {
		const text = reference[i % 16];
		const p = 0.8 + 0.19 * rng.uniform();
		return { token: text.length * 31 + text.charCodeAt(text.length - 1), text, top: candidates(rng, text, p), nll: -Math.log(p) };
	});
	const made = arms.map((kind, i) => makeArm(kind, i, rng.fork(kind), model, prompt, steps));
	return {
		version: 1, provenance: 'recorded',
		experiment: {
			version: 1, model: 'synthetic', prompt: { text: texts.join('') }, generate: { tokens: steps, temperature: 0, topK: 0, topP: 1, seed: 0 },
			prefill: { block: null }, arms: made.map(({ label, stack }) => ({ label, stack })), report: ['steps', 'bill', 'kept']
		},
		engine: { backend: 'cpu', adapter: 'made up', precision: 'f32', software: false }, model,
		prompt: { ids: words.map((_, i) => i + 1), texts, title: 'Needle', question: 'What is the code?', answer: '7 4 9 1', needles: [[needle, needle + 4]] },
		reference: { steps: rows, text: rows.map((r) => r.text).join(''), bytes: prompt * layers * 4 * 128, task: { correct: true, answer: '7 4 9 1' } },
		arms: made, done, timings: { load: 0, prefill: 0, perToken: 0 }
	};
}

function makeProbe(request: ProbeRequest, trace: Trace): Probe {
	const { model } = trace;
	const rng = random(JSON.stringify(request));
	const n = trace.prompt.ids.length;
	const steps = trace.reference.steps.length;
	const arm = trace.arms['arm' in request ? request.arm : 0];
	const alive = (layer: number, head: number, p: number) => p >= n || arm.cells[(layer * model.kvHeads + head) * arm.span + p] !== index('evicted');
	const attend = (layer: number, head: number, positions: number, width: number) => {
		const full = new Float32Array(width);
		let sum = 0;
		for (let p = 0; p < positions; p++) sum += full[p] = rng.uniform() ** 6 + (p === 0 ? 1 : 0) + Math.exp((p - positions) / 4);
		for (let p = 0; p < positions; p++) full[p] /= sum;
		let lost = 0;
		for (let p = 0; p < positions; p++) if (!alive(layer, head, p)) lost += full[p];
		return { full, arm: full.map((v, p) => (alive(layer, head, p) ? v / (1 - lost) : 0)), lost };
	};
	switch (request.kind) {
		case 'attention': {
			const positions = positionsAt(trace, steps);
			const head = Math.floor((request.queryHead * model.kvHeads) / model.heads);
			const rows = Array.from({ length: steps }, (_, s) => attend(request.layer, head, positionsAt(trace, s), positions));
			const join = (key: 'full' | 'arm') => Float32Array.from(rows.flatMap((r) => [...r[key]]));
			return { kind: 'attention', steps, positions, full: join('full'), arm: join('arm'), massLost: Float32Array.from(rows, (r) => r.lost), massOnSummary: new Float32Array(steps) };
		}
		case 'heads': {
			const positions = positionsAt(trace, request.step);
			const rows = Array.from({ length: model.layers * model.heads }, (_, i) =>
				attend(Math.floor(i / model.heads), Math.floor(((i % model.heads) * model.kvHeads) / model.heads), positions, positions));
			const join = (key: 'full' | 'arm') => Float32Array.from(rows.flatMap((r) => [...r[key]]));
			return { kind: 'heads', step: request.step, positions, full: join('full'), arm: join('arm'), massLost: Float32Array.from(rows, (r) => r.lost) };
		}
		case 'token': {
			const shares = () => Float32Array.from({ length: model.layers * model.heads * steps }, () => rng.uniform() ** 6 * 0.2);
			return { kind: 'token', position: request.position, steps, full: shares(), arm: shares() };
		}
		case 'lost': {
			const mass = Array.from({ length: steps }, (_, s) => Array.from({ length: model.layers * model.heads }, (_, i) =>
				attend(Math.floor(i / model.heads), Math.floor(((i % model.heads) * model.kvHeads) / model.heads), positionsAt(trace, s), positionsAt(trace, s)).lost));
			return { kind: 'lost', steps, mass: Float32Array.from(mass.flat()) };
		}
		case 'types': {
			// One place of the three gets most, a fourth kind of head spreads its mass.
			const heads = Array.from({ length: model.layers * model.heads }, () => [rng.int(0, 4), 0.55 + 0.4 * rng.uniform()]);
			const share = (place: number) => Float32Array.from(heads, ([kind, most]) => (kind === place ? most : kind === 3 ? 0.25 : (1 - most) / 3));
			return { kind: 'types', steps, copies: 4, first: share(0), last: share(1), copied: share(2) };
		}
		case 'matrix': {
			const held = arm.kept[request.layer][request.head];
			const channels = model.headDim;
			const scale = Float32Array.from({ length: channels }, (_, c) => (c === 19 ? 6 : 0.4 + rng.uniform()));
			const original = Float32Array.from({ length: held.length * channels }, (_, i) => scale[i % channels] * (rng.normal() * 0.3 + (i % channels === 19 ? -1 : 0)));
			const encoded = Uint8Array.from(held, (p) => (arm.cells[(request.layer * model.kvHeads + request.head) * arm.span + p] === index('b2') ? 1 : 0));
			const groups = [];
			const rebuilt = original.slice();
			for (let t = 0; t + 32 <= held.length && encoded[t]; t += 32) {
				for (let c = 0; c < channels; c++) {
					const values = Array.from({ length: 32 }, (_, k) => original[(t + k) * channels + c]);
					const lo = Math.min(...values);
					const step = (Math.max(...values) - lo) / 3 || 1;
					groups.push({ tokenFrom: t, tokenTo: t + 32, channelFrom: c, channelTo: c + 1, lo, step, bits: 2 });
					values.forEach((v, k) => (rebuilt[(t + k) * channels + c] = lo + Math.round((v - lo) / step) * step));
				}
			}
			const error = original.reduce((sum, v, i) => sum + (v - rebuilt[i]) ** 2, 0);
			const energy = original.reduce((sum, v) => sum + v * v, 0);
			return { kind: 'matrix', which: request.which, rope: request.rope, positions: Int32Array.from(held), channels, original, rebuilt, encoded, groups, relativeMse: error / energy, codec: groups.length ? '2 bits a channel, groups of 32' : undefined };
		}
		case 'spectrum': {
			const curve = (decay: number) => Float32Array.from({ length: model.headDim }, (_, i) => 40 * Math.exp(-i / decay) + 0.2);
			const ranks = (low: number) => Uint16Array.from({ length: model.layers * model.kvHeads }, () => rng.int(low, low + 6));
			return { kind: 'spectrum', keyBefore: curve(4), keyAfter: curve(7), value: curve(14), rankK: 9, rankV: 16, place: 'before', rank95KeyBefore: ranks(3), rank95KeyAfter: ranks(8), rank95Value: ranks(14) };
		}
	}
}

/** A source over a made-up trace: every probe answers. */
export function syntheticSource(options: SyntheticOptions = {}): TraceSource {
	const trace = syntheticTrace(options);
	return {
		trace,
		probe: <R extends ProbeRequest>(request: R) => Promise.resolve(makeProbe(request, trace) as ProbeOf<R>)
	};
}
