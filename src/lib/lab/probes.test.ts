import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIRST, LAST } from '$lib/documents/head-types.ts';
import { cellsAt, isReadable } from '$lib/documents/read.ts';
import type { MatrixProbe } from '$lib/documents/trace.ts';
import type { Lab } from './lab.ts';
import type { Run } from './run.ts';
import { experiment, TEXT, tinyLab } from './testing.ts';

const N = TEXT.length + 1;
const STEPS = 6;
const ARMS = [
	{ stack: [] },
	{ stack: [{ method: 'snapkv', params: { budget: { fraction: 0.3 }, window: 8 } }] },
	{ stack: [{ method: 'rtn', params: { bitsK: 4, bitsV: 2, group: 16 } }] },
	{ stack: [{ method: 'momentkv', params: { budget: { fraction: 0.3 } } }] },
	{ stack: [{ method: 'svd-truncation', params: { rankK: 6, rankV: 9 } }] },
	{ stack: [{ method: 'streaming-llm', params: { budget: { fraction: 0.3 }, rerotate: true } }] },
	{ stack: [{ method: 'quest', params: { budget: { fraction: 0.3 } } }] }
];
const [FULL, SNAP, RTN, MOMENT, SVD, STREAM, QUEST] = ARMS.map((_, i) => i);

let lab: Lab;
let run: Run;
beforeAll(async () => {
	lab = await tinyLab('wasm');
	run = await lab.start(experiment({ arms: ARMS, generate: { tokens: STEPS } }), { record: true });
	await run.advance();
});
afterAll(() => {
	run.dispose();
	lab.dispose();
});

const sum = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b, 0);

describe('attention', () => {
	it('of the full cache sums to one and equals what an untouched arm measured', async () => {
		for (const queryHead of [0, 3]) {
			const probe = (await run.probe({ kind: 'attention', arm: FULL, layer: 1, queryHead }))!;
			expect([probe.steps, probe.positions]).toEqual([STEPS, N + STEPS - 1]);
			for (let step = 0; step < STEPS; step++) {
				const [from, to] = [step * probe.positions, (step + 1) * probe.positions];
				expect(sum(probe.full.subarray(from, to))).toBeCloseTo(1, 6);
				// Nothing lies beyond the token that is being read.
				expect(sum(probe.full.subarray(from + N + step, to))).toBe(0);
				for (let i = from; i < to; i++) expect(Math.abs(probe.arm[i] - probe.full[i])).toBeLessThan(1e-3 * probe.full[i] + 1e-6);
				expect(probe.massLost[step]).toBe(0);
			}
		}
	});

	it('of an evicting arm lives on its slots, and the mass lost is what the full cache gave the others', async () => {
		for (const arm of [SNAP, STREAM, QUEST]) {
			const probe = (await run.probe({ kind: 'attention', arm, layer: 0, queryHead: 1 }))!;
			const trace = run.trace.arms[arm];
			for (let step = 0; step < STEPS; step++) {
				const row = probe.arm.subarray(step * probe.positions, (step + 1) * probe.positions);
				expect(sum(row)).toBeCloseTo(1, 2);
				if (arm === QUEST) continue;
				// Cells tell what is there after a step, so what a step read is what the one before left, and its own token.
				const cells = cellsAt(trace, step - 1);
				let lost = 0;
				for (let p = 0; p < N + step; p++) {
					if (isReadable(cells[p]) || p === N - 1 + step) continue;
					expect(row[p]).toBe(0);
					lost += probe.full[step * probe.positions + p];
				}
				expect(probe.massLost[step]).toBeCloseTo(lost, 5);
				expect(lost).toBeGreaterThan(0);
			}
		}
	});

	it('says what a summary got', async () => {
		const probe = (await run.probe({ kind: 'attention', arm: MOMENT, layer: 1, queryHead: 0 }))!;
		for (let step = 0; step < STEPS; step++) {
			expect(probe.massOnSummary[step]).toBeGreaterThan(0);
			expect(sum(probe.arm.subarray(step * probe.positions, (step + 1) * probe.positions)) + probe.massOnSummary[step]).toBeCloseTo(1, 2);
		}
	});

	it('of all heads at one step has the rows of the single heads', async () => {
		const single = (await run.probe({ kind: 'attention', arm: SNAP, layer: 1, queryHead: 2 }))!;
		const all = (await run.probe({ kind: 'heads', arm: SNAP, step: 3 }))!;
		const row = 1 * lab.model.heads + 2;
		expect(all.positions).toBe(N + 3);
		for (const name of ['full', 'arm'] as const) {
			expect(all[name].subarray(row * all.positions, (row + 1) * all.positions)).toEqual(single[name].subarray(3 * single.positions, 3 * single.positions + all.positions));
		}
		expect(all.massLost[row]).toBe(single.massLost[3]);
	});

	it('lost is told for all heads in all steps as for a single one', async () => {
		const { layers, heads } = lab.model;
		for (const arm of [FULL, SNAP, QUEST]) {
			const all = (await run.probe({ kind: 'lost', arm }))!;
			expect([all.steps, all.mass.length]).toEqual([STEPS, STEPS * layers * heads]);
			for (let layer = 0; layer < layers; layer++) {
				for (let queryHead = 0; queryHead < heads; queryHead++) {
					const single = (await run.probe({ kind: 'attention', arm, layer, queryHead }))!;
					for (let step = 0; step < STEPS; step++) expect(all.mass[(step * layers + layer) * heads + queryHead]).toBe(single.massLost[step]);
				}
			}
		}
		// Asked again it is the same, and a later step is added.
		const more = await lab.start(experiment({ arms: ARMS.slice(SNAP, SNAP + 1), generate: { tokens: 2 } }), { record: true });
		await more.advance(1);
		const one = (await more.probe({ kind: 'lost', arm: 0 }))!;
		await more.advance();
		const two = (await more.probe({ kind: 'lost', arm: 0 }))!;
		expect([one.steps, two.steps]).toEqual([1, 2]);
		expect(two.mass.subarray(0, one.mass.length)).toEqual(one.mass);
		more.dispose();
	});

	it('of the reference run is split by place as its rows are', async () => {
		const { layers, heads } = lab.model;
		const document = { prompt: { task: 'needle', seed: 1, length: 200, depth: 0.3 }, arms: ARMS.slice(0, 1), generate: { tokens: 4 } };
		const asked = await lab.start(experiment(document));
		const { ids, needles } = asked.trace.prompt;
		asked.dispose();
		// With forced tokens the reference run is every arm's full cache. Two of them are the answer's, two are nowhere.
		const tokens = [ids[needles[0][0]], ids[needles[0][0] + 1], 2, 2];
		const told = await lab.start(experiment({ ...document, forced: { tokens } }), { record: true });
		await told.advance();
		const types = (await told.probe({ kind: 'types' }))!;
		expect([types.steps, types.copies]).toEqual([4, 2]);
		const n = ids.length;
		const from = (step: number) => ids.flatMap((id, p) => (id === tokens[step] && needles.some(([a, b]) => p >= a && p < b) && p >= FIRST && p < n + step - LAST ? [p] : []));
		expect(from(0).length).toBeGreaterThan(0);
		for (let i = 0; i < layers * heads; i++) {
			const probe = (await told.probe({ kind: 'attention', arm: 0, layer: Math.floor(i / heads), queryHead: i % heads }))!;
			const at = (step: number, p: number) => probe.full[step * probe.positions + p];
			const [first, last] = [0, 1].map((place) => sum(Array.from({ length: 4 }, (_, step) => sum(Array.from({ length: n + step }, (_, p) => p)
				.filter((p) => (place === 0 ? p < FIRST : p >= FIRST && p >= n + step - LAST)).map((p) => at(step, p))))) / 4);
			expect(types.first[i]).toBeCloseTo(first, 6);
			expect(types.last[i]).toBeCloseTo(last, 6);
			expect(types.copied[i]).toBeCloseTo(sum([0, 1].flatMap((step) => from(step).map((p) => at(step, p)))) / 2, 6);
		}
		// Asked again nothing changes.
		expect(await told.probe({ kind: 'types' })).toEqual(types);
		told.dispose();
	});

	it('of the reference run stays what it was when that has ended and arms go on', async () => {
		const document = experiment({ arms: [ARMS[STREAM], ARMS[MOMENT]], generate: { tokens: 12 } });
		const first = await lab.start(document);
		await first.advance();
		const { reference, arms } = first.trace;
		first.dispose();
		// The reference's first token that an arm does not write ends a text from now on.
		const end = reference.steps.findIndex(({ token }) => arms.some((arm) => arm.steps.every((step) => step.token !== token)));
		expect(end).toBeGreaterThanOrEqual(0);
		const { ends } = lab.loaded;
		ends.push(reference.steps[end].token);
		try {
			const ending = await lab.start(document, { record: true });
			await ending.advance(end + 1);
			const types = (await ending.probe({ kind: 'types' }))!;
			await ending.advance();
			expect(ending.trace.arms.some((arm) => arm.steps.length > end + 1)).toBe(true);
			expect(types.steps).toBe(end + 1);
			expect(await ending.probe({ kind: 'types' })).toEqual(types);
			ending.dispose();
			// Nothing was worked out while it ran: the cache that is set aside gives the same.
			const late = await lab.start(document, { record: true });
			await late.advance();
			expect(await late.probe({ kind: 'types' })).toEqual(types);
			late.dispose();
		} finally {
			ends.pop();
		}
	});

	it('is not there when it was not recorded', async () => {
		const bare = await lab.start(experiment({ arms: ARMS.slice(0, 1), generate: { tokens: 1 } }));
		await bare.advance();
		expect(await bare.probe({ kind: 'attention', arm: 0, layer: 0, queryHead: 0 })).toBeNull();
		expect(await bare.probe({ kind: 'lost', arm: 0 })).toBeNull();
		expect(await bare.probe({ kind: 'types' })).toBeNull();
		expect(await bare.probe({ kind: 'spectrum', arm: 0, layer: 0, head: 0 })).not.toBeNull();
		bare.dispose();
	});
});

describe('matrix', () => {
	const matrix = async (arm: number, which: 'K' | 'V', rope: 'before' | 'after' = 'after') =>
		(await run.probe({ kind: 'matrix', arm, layer: 1, head: 1, which, rope })) as MatrixProbe;

	it('of exact slots is the original', async () => {
		const probe = await matrix(SNAP, 'K');
		expect(probe.positions).toHaveLength(run.trace.arms[SNAP].kept[1][1].length + STEPS - 1);
		expect(probe.rebuilt).toEqual(probe.original);
		expect(sum(probe.encoded)).toBe(0);
		expect(probe.groups).toEqual([]);
		expect(probe.relativeMse).toBe(0);
	});

	it('of encoded slots shows groups whose levels the rebuilt numbers stand on', async () => {
		const probe = await matrix(RTN, 'K');
		expect(sum(probe.encoded)).toBeGreaterThan(0);
		expect(probe.relativeMse).toBeGreaterThan(0);
		expect(probe.relativeMse).toBeLessThan(0.05);
		expect((await matrix(RTN, 'V')).relativeMse).toBeGreaterThan(probe.relativeMse);
		expect(probe.groups.length).toBeGreaterThan(0);
		let covered = 0;
		for (const { tokenFrom, tokenTo, channelFrom, channelTo, lo, step, bits } of probe.groups) {
			covered += (tokenTo - tokenFrom) * (channelTo - channelFrom);
			expect(bits).toBe(4);
			for (let t = tokenFrom; t < tokenTo; t++) {
				for (let c = channelFrom; c < channelTo; c++) {
					const code = (probe.rebuilt[t * probe.channels + c] - lo!) / step!;
					expect(Math.abs(code - Math.round(code))).toBeLessThan(0.01);
				}
			}
		}
		expect(covered).toBe(sum(probe.encoded) * probe.channels);
	});

	it('before rotation is the same error, since turning keeps lengths', async () => {
		const after = await matrix(RTN, 'K');
		const before = await matrix(RTN, 'K', 'before');
		expect(before.relativeMse).toBeCloseTo(after.relativeMse, 6);
		expect(before.original).not.toEqual(after.original);
		// Levels belong to the numbers that were encoded.
		expect(before.groups[0].lo).toBeUndefined();
	});

	it('of re-rotated keys compares at the angle where they stand', async () => {
		for (const rope of ['before', 'after'] as const) {
			const probe = await matrix(STREAM, 'K', rope);
			for (let i = 0; i < probe.original.length; i++) expect(Math.abs(probe.rebuilt[i] - probe.original[i])).toBeLessThan(1e-4);
		}
	});
});

describe('spectrum', () => {
	it('has the energy of the numbers, and the rank that an arm keeps', async () => {
		const probe = (await run.probe({ kind: 'spectrum', arm: SVD, layer: 0, head: 1 }))!;
		const values = (await run.probe({ kind: 'matrix', arm: FULL, layer: 0, head: 1, which: 'V', rope: 'after' }))!;
		const energy = sum(values.original.subarray(0, N * 16).map((x) => x * x));
		expect(sum(probe.value.map((x) => x * x)) / energy).toBeCloseTo(1, 5);
		// Rotation keeps the energy of keys, not their rank.
		expect(sum(probe.keyBefore.map((x) => x * x)) / sum(probe.keyAfter.map((x) => x * x))).toBeCloseTo(1, 5);
		expect([probe.rankK, probe.rankV]).toEqual([6, 9]);
		expect(['before', 'after']).toContain(probe.place);
		const share = (r: number) => sum(probe.value.slice(0, r).map((x) => x * x)) / energy;
		const rank = probe.rank95Value[1];
		expect(share(rank)).toBeGreaterThanOrEqual(0.95 - 1e-6);
		expect(share(rank - 1)).toBeLessThan(0.95);
		expect(probe.rank95KeyBefore).toHaveLength(lab.model.layers * lab.model.kvHeads);
	});
});

it('a head that does not exist is refused', async () => {
	await expect(run.probe({ kind: 'attention', arm: 0, layer: 0, queryHead: 4 })).rejects.toThrow(/no query head 4/);
	await expect(run.probe({ kind: 'lost', arm: 9 })).rejects.toThrow(/no arm 9/);
	await expect(run.probe({ kind: 'spectrum', arm: 9, layer: 0, head: 0 })).rejects.toThrow(/no arm 9/);
	await expect(run.probe({ kind: 'heads', arm: 0, step: 99 })).rejects.toThrow(/no step 99/);
});
