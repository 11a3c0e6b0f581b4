import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { Rig } from '../testing/views.ts';
import { lagScores } from './lagkv.ts';

const d = TINY.headDim;
const rule = { sinks: 4, lag: 8, cross: true, released: false };
const rowsOf = (block: Float32Array) => Array.from({ length: block.length / d }, (_, j) => Array.from(block.subarray(j * d, (j + 1) * d)));

/** Softmax of the standard deviations of one partition, straight from the formula. */
function brute(rows: number[][], next: number[][]): number[] {
	const deviations = rows.map((row) => {
		const y = row.map((x, c) => {
			const column = next.map((r) => r[c]);
			return (x - Math.min(...column)) / (Math.max(...column) - Math.min(...column));
		});
		const mean = y.reduce((a, b) => a + b) / d;
		return Math.exp(Math.sqrt(y.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (d - 1)));
	});
	const total = deviations.reduce((a, b) => a + b);
	return deviations.map((x) => x / total);
}

describe('lagkv', () => {
	const n = 4 + 8 * 5 + 3;
	const [keys, values] = ['k', 'v'].map((name) => fixtureNormal(name, n * d));

	it('across the text, scores each partition by the range of the next', () => {
		const scores = lagScores(keys, values, d, 4, rule);
		for (let p = 0; p < 4; p++) {
			const part = (block: Float32Array, q: number) => rowsOf(block).slice(4 + 8 * q, 12 + 8 * q);
			const byKey = brute(part(keys, p), part(keys, p + 1));
			const byValue = brute(part(values, p), part(values, p + 1));
			byKey.forEach((x, i) => expect(scores[4 + 8 * p + i]).toBeCloseTo((x + byValue[i]) / 2, 9));
		}
		for (const slot of [0, 1, 2, 3, ...Array.from({ length: 11 }, (_, i) => 36 + i)]) expect(scores[slot]).toBeCloseTo(1, 6);
	});

	it('in its partition, gives ranks that are a permutation and follow the raw scores', () => {
		const raw = lagScores(keys, values, d, 4, rule);
		const ranks = lagScores(keys, values, d, 4, { ...rule, cross: false });
		for (let p = 0; p < 4; p++) {
			const [a, b] = [raw, ranks].map((row) => Array.from(row.subarray(4 + 8 * p, 12 + 8 * p)));
			expect([...b].sort((x, y) => x - y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((rank) => rank / 8));
			a.forEach((x, i) => a.forEach((y, j) => x > y && expect(b[i]).toBeGreaterThan(b[j])));
		}
	});

	it('thins all partitions alike and keeps sinks and tail', () => {
		for (const tokens of [20, 26, 31, 40]) {
			const arm = new Rig(randomArm(n), [{ method: 'lagkv', params: { lag: 8, budget: { tokens } } }]).prefill().arm;
			for (const layer of arm.layers) for (const head of [0, 1]) {
				const kept = Array.from(layer.positions(head));
				expect(kept).toHaveLength(tokens);
				expect(kept).toEqual(expect.arrayContaining([0, 1, 2, 3, ...Array.from({ length: 11 }, (_, i) => 36 + i)]));
				const counts = [0, 1, 2, 3].map((p) => kept.filter((j) => j >= 4 + 8 * p && j < 12 + 8 * p).length);
				expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
			}
		}
	});

	it('puts sinks first, then the newest, where they alone are too many', () => {
		const arm = new Rig(randomArm(n), [{ method: 'lagkv', params: { lag: 8, budget: { tokens: 9 } } }]).prefill().arm;
		expect(Array.from(arm.layers[0].positions(0))).toEqual([0, 1, 2, 3, n - 5, n - 4, n - 3, n - 2, n - 1]);
	});

	it('halves the block for a short text; released, it keeps sinks and the newest silently', () => {
		const short = { ...rule, lag: 128, cross: false };
		expect(lagScores(keys, values, d, 4, short)).toEqual(lagScores(keys, values, d, 4, { ...short, lag: 21 }));
		const released = lagScores(keys, values, d, 4, { ...short, released: true });
		for (let slot = 0; slot < n; slot++) expect(released[slot]).toBeCloseTo(slot < 4 ? 1 : (slot - 4) / (n - 4), 6);
		const kept = (variant: string) => {
			const { layers } = new Rig(randomArm(n), [{ method: 'lagkv', params: { lag: 128, budget: { tokens: 10 }, variant } }]).prefill().arm;
			return Array.from(layers[0].positions(0));
		};
		expect(kept('released')).toEqual([0, 1, 2, 3, n - 6, n - 5, n - 4, n - 3, n - 2, n - 1]);
		// Long enough, both agree.
		expect(lagScores(keys, values, d, 4, { ...rule, released: true })).toEqual(lagScores(keys, values, d, 4, rule));
	});

	it('stays finite where a channel does not vary, and for texts of a few tokens', () => {
		const flat = keys.map((x, at) => (at % d === 2 ? 1 : x));
		expect(lagScores(flat, values, d, 4, rule).every(Number.isFinite)).toBe(true);
		for (let count = 1; count < 8; count++) {
			expect(lagScores(keys.slice(0, count * d), values.slice(0, count * d), d, Math.min(4, count), rule).every(Number.isFinite)).toBe(true);
		}
	});
});
