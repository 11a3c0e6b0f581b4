import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { random } from '$lib/numerics/random.ts';
import type { StartContext } from '../define.ts';
import { Rig } from '../testing/views.ts';
import { patchOf } from './epicache.ts';
import { episodeOf, kMeans, layerBudgets, meanEmbedding, medoids, windowsOf } from './episodes.ts';

const d = TINY.headDim;
const N = 60;
const full = randomArm(N);
const spec = (params: object = {}) => ({ method: 'epicache', params: { budget: { tokens: 20 }, window: 8, question: 4, ...params } });
const rigOf = (params: object = {}) => new Rig(full, [spec(params)]);
const lengths = (rig: Rig) => rig.arm.layers.map((layer) => [0, 1].map((head) => layer.length(head)));
const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
const patched = (rig: Rig) => [...rig.requests.readings].find(([, { over }]) => over === 'prompt')!;

/** Largest attention of the patched prompt's queries over the prompt alone, and over the query heads of a group. */
function wanted(rig: Rig, layer: number, head: number): number[] {
	const [key, { ids }] = patched(rig);
	const keys = full.layers[layer].keys(head);
	const most = new Array<number>(N).fill(0);
	for (const h of [2 * head, 2 * head + 1]) {
		const queries = fixtureNormal(`rig/${key}/q${layer}.${h}`, ids.length * d);
		for (let t = 0; t < ids.length; t++) {
			const weights = most.map((_, j) => Math.exp(sum(Array.from({ length: d }, (_x, c) => queries[t * d + c] * keys[j * d + c])) / Math.sqrt(d)));
			const total = sum(weights);
			weights.forEach((weight, j) => (most[j] = Math.max(most[j], weight / total)));
		}
	}
	return most;
}

describe('epicache', () => {
	it.each(['pair', 'pair-uniform'])('scores as a double loop does and keeps the best, mode %s', (mode) => {
		const rig = rigOf({ mode }).prefill();
		rig.arm.layers.forEach((layer, l) => {
			const scores = [0, 1].map((head) => wanted(rig, l, head));
			for (const { decision, head } of rig.arm.records.filter((record) => record.layer === l)) {
				decision!.scores.forEach((score, j) => expect(score).toBeCloseTo(scores[head][j], 6));
				expect(decision!.scores.every((score) => score > 0 && score <= 1)).toBe(true);
			}
			const all = [0, 1].flatMap((head) => scores[head].slice(0, N - 4).map((score, j) => ({ head, j, score }))).sort((a, b) => b.score - a.score);
			const open = mode === 'pair' ? all.slice(0, 32) : [0, 1].flatMap((head) => all.filter((each) => each.head === head).slice(0, 16));
			for (const head of [0, 1]) {
				const kept = open.filter((each) => each.head === head).map(({ j }) => j).sort((a, b) => a - b);
				expect(Array.from(layer.positions(head))).toEqual([...kept, N - 4, N - 3, N - 2, N - 1]);
			}
		});
	});

	it('holds the budget: of the layer with one cut, of each head without', () => {
		for (const tokens of [1, 2, 7, 20, 59]) {
			for (const layer of lengths(rigOf({ budget: { tokens } }).prefill())) expect(sum(layer)).toBe(Math.max(2, 2 * tokens));
			for (const layer of lengths(rigOf({ budget: { tokens }, mode: 'pair-uniform' }).prefill())) expect(layer).toEqual([tokens, tokens]);
		}
		expect(lengths(rigOf({ budget: { tokens: N } }).prefill()).flat()).toEqual([N, N, N, N]);
		expect(rigOf({ budget: { tokens: N } }).prefill().arm.records).toEqual([]);
	});

	it('reads the patched prompt after every block, over what is there', () => {
		const [, reading] = patched(rigOf());
		expect(reading).toMatchObject({ everyBlock: true, over: 'prompt', columns: { take: 'max', own: false } });
	});

	it('has another memory for each episode, and the centres on the bill', () => {
		const texts = [1, 2, 3, 4].map((episode) => String(patched(rigOf({ episode }))[1].ids));
		expect(new Set(texts).size).toBe(4);
		expect(texts).toContain(String(patched(rigOf())[1].ids));
		expect(rigOf().prefill().arm.bill().items.state).toBe(4 * TINY.hidden * 2);
	});

	it('stays within a budget in bytes', () => {
		for (const bytes of [2000, 4000, 6000]) for (const power of [0, 1.1]) {
			expect(rigOf({ budget: { bytes }, power }).prefill().arm.bill().total).toBeLessThanOrEqual(bytes);
		}
	});

	it('gives layers unequal budgets by how much their keys change, with two readings of the text alone', () => {
		const rig = rigOf({ power: 1.1, mode: 'pair-uniform' });
		expect([...rig.requests.readings.values()].filter(({ over }) => over === 'nothing').map(({ ids }) => ids.length)).toEqual([56, 4 + 56 - 14]);
		rig.prefill();
		const [a, b] = lengths(rig).map(([first]) => first);
		expect(a).not.toBe(b);
		expect(a + b).toBeLessThanOrEqual(40);
		expect(Math.min(a, b)).toBe(5);
	});
});

describe('layer budgets', () => {
	it('are equal where nothing tells layers apart', () => {
		expect(layerBudgets([0.7, 0.7, 0.7], 50, 1.1, false)).toEqual([50, 50, 50]);
		expect(layerBudgets([0.2, 0.5, 0.9], 50, 0, true)).toEqual([50, 50, 50]);
	});
	it('follow the formula, and without the least length add up to what there is', () => {
		const alike = [0.1, 0.3, 0.5, 0.9];
		const weights = [1, 0.75, 0.5, 0].map((x) => x ** 1.1);
		const formula = weights.map((weight) => Math.trunc((4 * 64 * weight) / sum(weights)));
		expect(Math.abs(sum(formula) - 256)).toBeLessThan(4);
		expect(layerBudgets(alike, 64, 1.1, true)).toEqual([...formula.slice(0, 3), 16]);
		const ours = layerBudgets(alike, 64, 1.1, false);
		expect(ours[3]).toBe(16);
		expect(sum(ours)).toBeLessThanOrEqual(256);
		expect(sum(ours)).toBeGreaterThan(252);
	});
	it('with a small power differ little, but for the layer that changes least', () => {
		const budgets = layerBudgets([0.1, 0.3, 0.5, 0.9], 64, 1e-6, true);
		expect(budgets).toEqual([85, 85, 85, 16]);
	});
	it('never fall below a quarter', () => {
		for (const released of [false, true]) {
			expect(Math.min(...layerBudgets([0, 0.97, 0.98, 0.99, 1], 40, 3, released))).toBe(10);
		}
	});
});

describe('episodes', () => {
	/** Three topics far apart: points near the axes. */
	const points = Array.from({ length: 24 }, (_, i) => {
		const noise = fixtureNormal(`point ${i}`, 3);
		const at = [0, 1, 2].map((c) => (c === i % 3 ? 1 : 0) + 0.1 * noise[c]);
		return Float64Array.from(at, (x) => x / Math.hypot(...at));
	});

	it('are found again, with the mean of their points as centres', () => {
		const { centres, of, spread } = kMeans(points, 3, random(5));
		for (let i = 3; i < 24; i++) expect(of[i]).toBe(of[i % 3]);
		centres.forEach((centre, e) => centre.forEach((x, c) =>
			expect(x).toBeCloseTo(sum(points.filter((_, i) => of[i] === e).map((point) => point[c])) / 8, 12)));
		expect(spread).toBeCloseTo(sum(points.map((point, i) => sum(point.map((x, c) => (x - centres[of[i]][c]) ** 2)))), 12);
		expect(kMeans(points, 3, random(5))).toEqual(kMeans(points, 3, random(5)));
		expect(kMeans(points, 50, random(5)).spread).toBeCloseTo(0, 12);
	});

	it('are spoken for by the windows nearest to the centre, in the order of the text', () => {
		const clusters = kMeans(points, 3, random(5));
		const cosine = (i: number) => sum(points[i].map((x, c) => x * clusters.centres[clusters.of[0]][c]));
		const mine = points.map((_, i) => i).filter((i) => i % 3 === 0).sort((a, b) => cosine(b) - cosine(a)).slice(0, 4);
		expect(medoids(points, clusters, clusters.of[0], 4)).toEqual(mine.sort((a, b) => a - b));
		for (let topic = 0; topic < 3; topic++) expect(episodeOf(clusters.centres, points[topic])).toBe(clusters.of[topic]);
	});

	it('have embeddings of length 1 and windows without overlap', () => {
		const windows = windowsOf(Array.from({ length: 21 }, (_, i) => i), 8);
		expect(windows.map((window) => window.length)).toEqual([8, 8, 5]);
		expect(windows.flat()).toEqual(Array.from({ length: 21 }, (_, i) => i));
		const mean = meanEmbedding([1, 2], (id) => [id, 0, 3]);
		expect(Array.from(mean)).toEqual([3, 0, 6].map((x) => x / Math.hypot(3, 0, 6)));
		expect(Array.from(meanEmbedding([1], () => [0, 0]))).toEqual([0, 0]);
	});

	it('answer a question about them, with their own windows', () => {
		// Tokens 0-9, 10-19, 20-29 are three topics; an embedding shows the topic.
		const embedding = (id: number) => Float32Array.of(...[0, 1, 2].map((topic) => (Math.floor(id / 10) === topic ? 1 : 0.01 * (id % 7))));
		const history = Array.from({ length: 60 }, (_, i) => 10 * (Math.floor(i / 10) % 3) + (i % 10));
		const context = { text: { ids: history, embedding, encode: () => [99] }, model: { context: 1000 }, random: random(1) } as unknown as StartContext;
		for (const topic of [0, 1, 2]) {
			const { ids, centres } = patchOf(context, history, [10 * topic + 3, 10 * topic + 4], { window: 10, episodes: 3, medoids: 2, wanted: 0 });
			expect(centres).toHaveLength(3);
			const one = Array.from({ length: 10 }, (_, i) => 10 * topic + i);
			expect(ids).toEqual([...one, 99, ...one]);
		}
	});
});
