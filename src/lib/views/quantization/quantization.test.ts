import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { GroupBox, MatrixProbe } from '$lib/documents/trace.ts';
import { crossGroup, groupAt, worstGroup } from './groups.ts';
import { groupHistogram, minMaxHistogram, otherWay } from './levels.ts';
import { extent, seams, slotOf, visibleSlots } from './plane.ts';

/** 8 slots x 4 channels, 2 bits, one channel x 4 slots a group; channel 2 is an outlier. */
function matrix(): MatrixProbe {
	const channels = 4;
	const rows = 8;
	const original = Float32Array.from({ length: rows * channels }, (_, i) => (i % channels === 2 ? -20 : 0) + Math.sin(i * 1.7));
	const rebuilt = original.slice();
	const groups: GroupBox[] = [];
	for (let c = 0; c < channels; c++) {
		for (let from = 0; from < rows; from += 4) {
			const values = Array.from({ length: 4 }, (_, k) => original[(from + k) * channels + c]);
			const lo = Math.min(...values);
			const step = (Math.max(...values) - lo) / 3;
			values.forEach((v, k) => (rebuilt[(from + k) * channels + c] = lo + Math.round((v - lo) / step) * step));
			groups.push({ tokenFrom: from, tokenTo: from + 4, channelFrom: c, channelTo: c + 1, lo, step, bits: 2 });
		}
	}
	return { kind: 'matrix', which: 'K', rope: 'after', positions: Int32Array.from([0, 1, 2, 3, 10, 11, 12, 20]), channels, original, rebuilt, encoded: new Uint8Array(rows).fill(1), groups, relativeMse: 0.1 };
}

describe('what is shown', () => {
	it('is everything when it fits, else a window that holds the centre', () => {
		const probe = { ...matrix(), positions: Int32Array.from({ length: 300 }, (_, i) => i) };
		expect(visibleSlots(probe, 900, 5, 3)).toEqual({ from: 0, to: 300 });
		fc.assert(fc.property(fc.integer({ min: 0, max: 299 }), (center) => {
			const { from, to } = visibleSlots(probe, 300, center, 5);
			expect(to - from).toBe(60);
			expect(from).toBeGreaterThanOrEqual(0);
			expect(to).toBeLessThanOrEqual(300);
			expect(center >= from && center < to).toBe(true);
		}));
	});
	it('finds the slot of a position, or the one before a gap', () => {
		const probe = matrix();
		expect([slotOf(probe, 0), slotOf(probe, 10), slotOf(probe, 15), slotOf(probe, 99)]).toEqual([0, 4, 6, 7]);
	});
	it('has one scale for numbers and one for errors, and margins by channel', () => {
		const probe = matrix();
		const e = extent(probe);
		expect(e.value).toBeGreaterThan(19);
		expect(e.error).toBeLessThan(0.5);
		expect(e.largest.indexOf(Math.max(...e.largest))).toBe(2);
	});
});

describe('groups', () => {
	it('hold their cells and have seams only where a gap can be seen', () => {
		const probe = matrix();
		expect(groupAt(probe, 5, 2)).toMatchObject({ tokenFrom: 4, channelFrom: 2 });
		expect(groupAt(probe, 99, 0)).toBeNull();
		expect(seams(probe, { from: 0, to: 8 }, 10, 4).columns).toEqual([4]);
		expect(seams(probe, { from: 0, to: 8 }, 10, 4).rows).toEqual([]);
		expect(seams(probe, { from: 0, to: 8 }, 1, 4).columns).toEqual([]);
	});
	it('have 2^bits levels whose cells tile the axis, and count every number once', () => {
		const probe = matrix();
		const h = groupHistogram(probe, probe.groups[0]);
		expect(h.levels.map((l) => l.code)).toEqual(['00', '01', '10', '11']);
		for (let k = 1; k < 4; k++) expect(h.levels[k].from).toBeCloseTo(h.levels[k - 1].to, 6);
		expect(h.levels[0].from).toBe(h.domain[0]);
		expect(h.levels[3].to).toBe(h.domain[1]);
		expect(h.bins.reduce((a, b) => a + b)).toBe(4);
		const worst = worstGroup(probe)!;
		expect(groupHistogram(probe, worst).values).toHaveLength(4);
	});
	it('turned the other way cost far more when a channel is an outlier', () => {
		const probe = matrix();
		const cross = crossGroup(probe, probe.groups[0], 5, 0);
		expect(cross).toMatchObject({ tokenFrom: 5, tokenTo: 6, channelFrom: 0, channelTo: 4 });
		const wrong = minMaxHistogram(probe, cross);
		expect(wrong.step!).toBeGreaterThan(5);
		let own = 0;
		let all = 0;
		probe.original.forEach((v, i) => {
			own += (probe.rebuilt[i] - v) ** 2;
			all += v * v;
		});
		expect(otherWay(probe)!).toBeGreaterThan(5 * (own / all));
	});
	it('turn back to a channel when the codec runs per token', () => {
		const perToken: GroupBox = { tokenFrom: 3, tokenTo: 4, channelFrom: 0, channelTo: 4, bits: 4, lo: 0, step: 1 };
		expect(crossGroup(matrix(), perToken, 5, 1)).toMatchObject({ tokenFrom: 4, tokenTo: 8, channelFrom: 1, channelTo: 2 });
	});
	it('say nothing about the other way when nothing is encoded', () => {
		expect(otherWay({ ...matrix(), groups: [] })).toBeNull();
	});
});
