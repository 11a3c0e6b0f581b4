import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { random } from '$lib/numerics/random.ts';
import { Rig } from '../testing/views.ts';
import { lots } from './random-eviction.ts';

const keptOf = (rig: Rig) => rig.arm.layers.map((layer) => [0, 1].map((head) => Array.from(layer.positions(head))));
const rigOf = (name: string, params: object = {}) =>
	new Rig(randomArm(24), [{ method: 'random-eviction', params: { budget: { tokens: 9 }, ...params } }], name).prefill();

describe('random-eviction', () => {
	it('keeps every position with frequency m / n, within 3 standard deviations, over 1000 seeds', () => {
		const [n, m, seeds] = [12, 5, 1000];
		const [layer] = randomArm(n, { ...TINY, layers: 1 }).layers;
		const counts = new Int32Array(n);
		for (let seed = 0; seed < seeds; seed++) {
			const row = lots(layer, random(seed), false).byHead[0];
			const order = Array.from(row, (score, slot) => ({ score, slot })).sort((a, b) => b.score - a.score);
			for (const { slot } of order.slice(0, m)) counts[slot]++;
		}
		const sigma = Math.sqrt(seeds * (m / n) * (1 - m / n));
		counts.forEach((count) => expect(Math.abs(count - (seeds * m) / n)).toBeLessThan(3 * sigma));
	});

	it('gives the same set for the same seed and another for another', () => {
		expect(keptOf(rigOf('a'))).toEqual(keptOf(rigOf('a')));
		expect(keptOf(rigOf('a'))).not.toEqual(keptOf(rigOf('b')));
		expect(keptOf(rigOf('a')).flat().every((positions) => positions.length === 9)).toBe(true);
	});

	it('draws apart for heads, and for layers unless they are to agree', () => {
		const [first, second] = keptOf(rigOf('a'));
		expect(first[0]).not.toEqual(first[1]);
		expect(first).not.toEqual(second);
		const [one, other] = keptOf(rigOf('a', { same_layers: true }));
		expect(one).toEqual(other);
		expect(one[0]).not.toEqual(one[1]);
	});

	it('draws by logical position, whatever was evicted before', () => {
		const arm = randomArm(24);
		const before = lots(arm.layers[0], random(7), false).byHead[0];
		arm.layers[0].keep(0, [3, 8, 20]);
		expect(Array.from(lots(arm.layers[0], random(7), false).byHead[0])).toEqual([before[3], before[8], before[20]]);
	});
});
