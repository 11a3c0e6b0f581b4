import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captured } from '$lib/cache/device/index.ts';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { statisticsOf } from '$lib/methods/eviction/expected-attention-score.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { symmetricEigen } from '$lib/numerics/linear.ts';
import { modelFingerprint } from '$lib/model/index.ts';
import { Lab } from '../lab.ts';
import { readAtOnce } from '../prefill.ts';
import { experiment } from '../testing.ts';
import { calibrate } from './calibrate.ts';
import { areaOf, beyondEnds, firstTokens, retention } from './heads.ts';
import { KINDS } from './kinds.ts';
import { filterOf, Moments } from './queries.ts';
import { packShipped, shippedFile, unpackShipped, type ShippedFile } from './shipped.ts';
import { calibrationTexts, CALIBRATION_SEED, CALIBRATION_TASKS } from './texts.ts';

const d = 8;
const list = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('moments', () => {
	it('are those of all rows together', () => {
		const rows = fixtureNormal('moments', 90 * d).map((x, at) => x + (at % d));
		const moments = new Moments(d);
		for (const [from, to] of [[0, 1], [1, 40], [40, 90]]) moments.add(rows.subarray(from * d, to * d));
		const [found, wanted] = [moments.statistics(), statisticsOf(rows, d, 1)];
		found.mean.forEach((x, c) => expect(x).toBeCloseTo(wanted.mean[c], 10));
		found.covariance.forEach((x, at) => expect(x).toBeCloseTo(wanted.covariance[at], 9));
	});
});

describe('filterOf', () => {
	const axis = fixtureNormal('axis', d);
	const cloud = (side: number) => Float32Array.from(list(200 * d), (at) => side * 3 * axis[at % d] + 0.2 * fixtureNormal('cloud', 200 * d)[at]);
	const length = Math.hypot(...axis);
	it('has length 1 and points away from the queries, on whichever side they lie', () => {
		for (const side of [1, -1]) {
			const filter = filterOf(cloud(side), d);
			expect(Math.hypot(...filter)).toBeCloseTo(1, 10);
			expect(filter.reduce((sum, x, c) => sum + (x * side * axis[c]) / length, 0)).toBeLessThan(-0.99);
		}
	});
	it('goes by where most queries lie, not by where they reach far', () => {
		// Seven short ones on one side, three long ones on the other.
		const rows = Float32Array.from(list(10 * d), (at) => axis[at % d] * (Math.floor(at / d) < 7 ? 1 : -20));
		expect(filterOf(rows, d).reduce((sum, x, c) => sum + x * axis[c], 0)).toBeLessThan(0);
	});
});

describe('heads', () => {
	const N = 60;
	const full = randomArm(N);
	const captured = new Captured(TINY, N, full.layers.map((layer, l) => ({
		keys: Float32Array.from(list(TINY.kvHeads).flatMap((head) => Array.from(layer.keys(head)))),
		values: Float32Array.from(list(TINY.kvHeads).flatMap((head) => Array.from(layer.values(head)))),
		queries: fixtureNormal(`heads/q${l}`, TINY.heads * N * TINY.headDim)
	})));

	it('pay beyond both ends what is left when the ends are taken off', () => {
		const [layer, queryHead, from, to] = [1, 3, 50, 53];
		const keys = captured.keys(layer, 1);
		const wanted = list(to - from).map((i) => from + i).reduce((sum, at) => {
			const query = captured.queries(layer, queryHead).subarray(at * TINY.headDim, (at + 1) * TINY.headDim);
			const weights = list(at + 1).map((j) => Math.exp(list(TINY.headDim).reduce((dot, c) => dot + query[c] * keys[j * TINY.headDim + c], 0) / Math.sqrt(TINY.headDim)));
			const ends = weights.filter((_, j) => j < 4 || j > at - 10).reduce((a, b) => a + b);
			return sum + (1 - ends / weights.reduce((a, b) => a + b)) / (to - from);
		}, 0);
		expect(beyondEnds(captured, layer, queryHead, from, to, { sink: 4, recent: 10 })).toBeCloseTo(wanted, 6);
		expect(beyondEnds(captured, layer, queryHead, from, to, { sink: 30, recent: 30 })).toBe(0);
	});

	it('look as early as the sums of the last token’s attention say, with the mean query and key everywhere', () => {
		const [layer, queryHead, length] = [0, 2, 37];
		const theta = list(TINY.headDim / 2).map((i) => TINY.ropeTheta ** ((-2 * i) / TINY.headDim));
		const turn = (row: number[], angle: number) => {
			const half = row.length / 2;
			return row.map((x, c) => x * Math.cos(angle * theta[c % half]) + (c < half ? -row[c + half] : row[c - half]) * Math.sin(angle * theta[c % half]));
		};
		const mean = (rows: Float32Array) => list(N)
			.map((t) => turn(Array.from(rows.subarray(t * TINY.headDim, (t + 1) * TINY.headDim)), -t))
			.reduce((sum, row) => sum.map((x, c) => x + row[c] / N), list(TINY.headDim).map(() => 0));
		const query = turn(mean(captured.queries(layer, queryHead)), length - 1);
		const key = mean(captured.keys(layer, 1));
		const weights = list(length).map((at) => Math.exp(turn(key, at).reduce((dot, x, c) => dot + x * query[c], 0) / Math.sqrt(TINY.headDim)));
		const total = weights.reduce((a, b) => a + b);
		let [sum, area] = [0, 0];
		for (const weight of weights) {
			sum += weight / total;
			area += sum / length;
		}
		expect(areaOf(captured, full.rope, layer, queryHead, length)).toBeCloseTo(area, 6);
	});

	it('are cut to the first tokens with their queries', () => {
		const cut = firstTokens(captured, 20);
		expect(cut.n).toBe(20);
		for (const layer of [0, 1]) {
			expect(cut.keys(layer, 1)).toEqual(captured.keys(layer, 1).subarray(0, 20 * TINY.headDim));
			expect(cut.values(layer, 1)).toEqual(captured.values(layer, 1).subarray(0, 20 * TINY.headDim));
			expect(cut.queries(layer, 2)).toEqual(captured.queries(layer, 2).subarray(0, 20 * TINY.headDim));
		}
	});

	it('share out as many tokens as there are to keep', () => {
		const shares = retention(captured, full.rope.invFreq, 0.3, { sink: 4, recent: 16 });
		expect(shares).toHaveLength(TINY.layers * TINY.kvHeads);
		expect(shares.reduce((a, b) => a + b) * 40).toBeCloseTo(Math.floor(0.3 * 40 * shares.length), 9);
	});
});

describe('shipped files', () => {
	it('refuse what halves do not hold', () => {
		expect(() => packShipped('a', '0', 'made up', { x: [70000] })).toThrow('x has numbers beyond ±65504');
		expect(() => packShipped('a', '0', 'made up', { x: [NaN] })).toThrow(RangeError);
	});
});

/** Spearman's. */
function rankCorrelation(a: readonly number[], b: readonly number[]): number {
	const ranks = (x: readonly number[]) => {
		const place = new Float64Array(x.length);
		list(x.length).sort((i, j) => x[i] - x[j]).forEach((i, rank) => (place[i] = rank - (x.length - 1) / 2));
		return place;
	};
	const [x, y] = [ranks(a), ranks(b)];
	return x.reduce((sum, rank, i) => sum + rank * y[i], 0) / x.reduce((sum, rank) => sum + rank * rank, 0);
}

describe('nano', () => {
	let lab: Lab;
	const fileOf = (name: string) => JSON.parse(readFileSync(`static/models/nano/${shippedFile(name)}`, 'utf8')) as ShippedFile;
	const shipped = (name: string) => unpackShipped(fileOf(name), name, { name: 'nano', fingerprint: modelFingerprint(lab.loaded.decoder) });
	beforeAll(async () => {
		lab = await Lab.load('nano', { backend: 'wasm', site: 'static' });
	});
	afterAll(() => lab.dispose());

	it('gives the shipped head patterns again', async () => {
		const [made] = await calibrate(lab, { names: ['head-patterns'], seeds: fileOf('head-patterns').texts!.seeds });
		const { arrays: _made, ...facts } = made;
		const { arrays: _shipped, ...wanted } = fileOf('head-patterns');
		expect(facts).toEqual(wanted);
		const again = unpackShipped(made, 'head-patterns', { name: 'nano', fingerprint: made.fingerprint });
		for (const [name, shares] of Object.entries(shipped('head-patterns'))) shares.forEach((share, head) => expect(Math.abs(again[name][head] - share)).toBeLessThan(2e-3));
	}, 120_000);

	it('has filters of at most length 1 that point away from queries of other texts: keys along them get more', async () => {
		const { layers, heads, kvHeads, headDim } = lab.model;
		const { filters } = shipped('q-filters');
		const [text] = calibrationTexts(lab.loaded.tokenizer, { first: 5, count: 1 }, ['story']);
		const captured = await readAtOnce(lab.loaded.decoder, text.ids, { queries: 'all', attentionSums: true });
		const attention: number[] = [];
		for (const layer of list(layers)) for (const head of list(kvHeads)) {
			const filter = filters.subarray((layer * kvHeads + head) * headDim, (layer * kvHeads + head + 1) * headDim);
			expect(Math.hypot(...filter)).toBeLessThanOrEqual(1.001);
			const keys = captured.keys(layer, head);
			const score = list(captured.n).map((j) => -filter.reduce((sum, x, c) => sum + x * keys[j * headDim + c], 0));
			const group = list(heads / kvHeads).map((g) => (head * heads) / kvHeads + g);
			// Of the queries that can see a key: the mean logit, and the mean attention.
			const logit = list(captured.n).map((j) => group.reduce((sum, h) => {
				const queries = captured.queries(layer, h);
				let dot = 0;
				for (let t = j; t < captured.n; t++) for (let c = 0; c < headDim; c++) dot += (queries[t * headDim + c] * keys[j * headDim + c]) / (captured.n - j);
				return sum + dot;
			}, 0));
			expect(rankCorrelation(score, logit)).toBeGreaterThan(0.4);
			attention.push(rankCorrelation(score, list(captured.n).map((j) => group.reduce((sum, h) => sum + captured.attentionSums(layer, h)[j] / (captured.n - j), 0))));
		}
		expect(attention.reduce((a, b) => a + b) / attention.length).toBeGreaterThan(0.2);
	});

	it('has covariances that are symmetric, and nowhere negative but for rounding', () => {
		const { layers, heads, headDim: width } = lab.model;
		const { covariance } = shipped('query-statistics');
		for (const head of list(layers * heads)) {
			const square = covariance.subarray(head * width ** 2, (head + 1) * width ** 2);
			for (const i of list(width)) for (const j of list(i)) expect(square[i * width + j]).toBe(square[j * width + i]);
			const { values } = symmetricEigen(square, width);
			// Halves have 11 bits.
			expect(values.at(-1)).toBeGreaterThanOrEqual(-values[0] * 2 ** -10);
		}
	});

	it('runs what asks for them: retrieval heads keep the code that streaming all heads loses', async () => {
		const run = await lab.start(experiment({
			model: 'nano', prompt: { task: 'needle', seed: 5 }, generate: { tokens: 6 }, report: ['steps'],
			arms: [
				{ stack: [{ method: 'duo-attention', params: { head_ratio: 0.8 } }] }, { stack: [{ method: 'duo-attention', params: { head_ratio: 1 } }] },
				{ stack: [{ method: 'expected-attention-stats' }] }, { stack: [{ method: 'qfilters' }] },
				{ stack: [{ method: 'tangram', params: { level: 'calibrated', clusters: 'calibrated' } }] }
			]
		}));
		await run.advance();
		const [duo, streaming, ...others] = run.result().arms.map(({ steps }) => steps!.reduce((sum, { kl }) => sum + kl, 0) / steps!.length);
		run.dispose();
		expect(duo).toBeLessThan(1e-3);
		expect(streaming).toBeGreaterThan(0.1);
		for (const kl of others) expect(Number.isFinite(kl)).toBe(true);
	});

	it('has all that methods can ask for, of this model, with numbers for every head', () => {
		const { layers, heads, kvHeads, headDim } = lab.model;
		const sizes: Record<string, Record<string, number>> = {
			'q-filters': { filters: layers * kvHeads * headDim },
			'query-statistics': { mean: layers * heads * headDim, covariance: layers * heads * headDim ** 2 },
			'head-patterns': { retrieval: layers * kvHeads, area: layers * kvHeads },
			'head-budgets': { mean: layers * kvHeads, deviation: layers * kvHeads }
		};
		expect(Object.keys(KINDS)).toEqual(Object.keys(sizes));
		for (const [name, arrays] of Object.entries(sizes)) {
			expect(existsSync(`static/models/nano/${shippedFile(name)}`)).toBe(true);
			expect(Object.fromEntries(Object.entries(shipped(name)).map(([key, { length }]) => [key, length]))).toEqual(arrays);
			const { texts, made } = fileOf(name);
			expect(made).toBe(KINDS[name].made);
			expect(texts!.seeds.first).toBe(CALIBRATION_SEED);
			for (const [task, options] of Object.entries(texts!.tasks)) expect(CALIBRATION_TASKS[task as 'needle']).toEqual(options);
		}
	});
});
