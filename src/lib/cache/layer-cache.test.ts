import { describe, expect, it } from 'vitest';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { ArmCache } from './arm-cache.ts';
import { cellStates } from './cells.ts';
import { uniformCodec } from './codecs/uniform.ts';
import { lowRankCodec } from './codecs/lowrank.ts';
import { randomArm, TINY } from './testing.ts';
import { CELL_STATES } from '$lib/documents/trace.ts';

const rtn2 = uniformCodec({ bits: 2, axis: 'token', group: 8 });
const rtn4 = uniformCodec({ bits: 4, axis: 'channel', group: 4 });
const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i);

describe('slots', () => {
	it('keeps what it is told and what is protected, in position order', () => {
		const arm = randomArm(10);
		const layer = arm.layers[0];
		layer.protect([0, 9], 'sinks');
		layer.keep(1, [5, 3]);
		expect([...layer.positions(1)]).toEqual([0, 3, 5, 9]);
		expect(layer.length(0)).toBe(10);
		layer.evict(1, [0, 1]);
		expect([...layer.positions(1)]).toEqual([0, 5, 9]);
	});

	it('presents the numbers that belong to the position', () => {
		const arm = randomArm(10);
		const before = arm.layers[1].keys(1);
		arm.layers[1].keep(1, [2, 7]);
		const d = TINY.headDim;
		expect(arm.layers[1].keys(1)).toEqual(Float32Array.from([...before.slice(2 * d, 3 * d), ...before.slice(7 * d, 8 * d)]));
	});

	it('keeps forks apart', () => {
		const arm = randomArm(6);
		const fork = arm.fork();
		fork.layers[0].keep(0, [1]);
		fork.append(0, 1, new Float32Array(8).fill(1), new Float32Array(8).fill(2), 6);
		arm.append(0, 1, new Float32Array(8).fill(3), new Float32Array(8).fill(4), 6);
		expect(arm.layers[0].length(0)).toBe(6);
		expect(fork.layers[0].keys(1).at(-1)).toBe(1);
		expect(arm.layers[0].keys(1).at(-1)).toBe(3);
	});

	it('says in a sentence what was wrong', () => {
		const layer = randomArm(4).layers[0];
		expect(() => layer.evict(0, [4])).toThrow('layer 0, head 0 has 4 slots; there is no slot 4');
		expect(() => layer.keep(0, [])).toThrow(/at least one slot/);
		expect(() => layer.keys(2)).toThrow(/there is no head 2/);
		layer.encode(0, 'K', [1], rtn2);
		expect(() => layer.encode(0, 'K', [0, 1], rtn2)).toThrow(/encoded already/);
		expect(() => layer.merge(0, [{ into: 2, from: [2], weights: [1], value: new Float32Array(8) }])).toThrow(RangeError);
	});

	it('records verbs with who, when and why', () => {
		const arm = randomArm(5);
		const decision = { positions: Int32Array.of(0), scores: Float32Array.of(1), meaning: 'test' };
		arm.begin(3, 'snapkv');
		arm.layers[1].evict(0, [2], { decision });
		const [record] = arm.takeRecords();
		expect(record).toMatchObject({ verb: 'evict', by: 'snapkv', step: 3, layer: 1, head: 0, decision });
		expect([...record.positions]).toEqual([2]);
		expect(arm.takeRecords()).toEqual([]);
	});
});

describe('re-rotation', () => {
	it('puts slot j at angle j, and continues there', () => {
		const arm = randomArm(12);
		const original = arm.layers[0].keys(0);
		for (const layer of arm.layers) {
			for (let head = 0; head < 2; head++) {
				layer.keep(head, [0, 1, 9, 10, 11]);
				layer.rerotate(head);
			}
		}
		expect(arm.nextPosition()).toBe(5);
		expect([...arm.layers[0].rotaryPositions(0)]).toEqual([0, 1, 2, 3, 4]);
		const d = TINY.headDim;
		const expected = arm.rope.rotate(original.slice(9 * d, 10 * d), [2 - 9], d);
		expect(arm.layers[0].keys(0).slice(2 * d, 3 * d)).toEqual(expected);
	});

	it('loses nothing when it is repeated', () => {
		const arm = randomArm(40);
		const layer = arm.layers[0];
		const last = layer.keys(0).slice(-8);
		for (let i = 0; i < 39; i++) {
			layer.evict(0, [0]);
			layer.rerotate(0);
		}
		expect(layer.keys(0)).toEqual(arm.rope.rotate(last, [-39], 8));
	});

	it('keeps appended keys right through many evictions and turns', () => {
		const arm = randomArm(4);
		const layer = arm.layers[0];
		const originals = new Map<number, { key: Float32Array; angle: number }>();
		layer.positions(0).forEach((position) => originals.set(position, { key: layer.keys(0).slice(position * 8, (position + 1) * 8), angle: position }));
		for (let step = 0; step < 30; step++) {
			const [position, angle] = [arm.tokens, arm.nextPosition()];
			const key = fixtureNormal(`key ${step}`, 8);
			originals.set(position, { key, angle });
			for (const { layer: l } of arm.layers) for (const head of [0, 1]) arm.append(l, head, key, key, position, angle);
			if (step % 3 < 2) layer.evict(0, [(7 * step) % layer.length(0)]);
			for (const each of arm.layers) {
				for (const head of [0, 1]) {
					each.keep(head, layer.positions(0).map((wanted) => each.positions(head).indexOf(wanted)));
					each.rerotate(head);
				}
			}
			expect(arm.nextPosition()).toBe(layer.length(0));
			const keys = layer.keys(0);
			layer.positions(0).forEach((held, slot) => {
				const { key: original, angle: from } = originals.get(held)!;
				expect(keys.slice(slot * 8, (slot + 1) * 8)).toEqual(arm.rope.rotate(original, [slot - from], 8));
			});
		}
	});

	it('turns encoded keys too', () => {
		const arm = randomArm(8);
		const layer = arm.layers[0];
		layer.encode(0, 'K', range(8), rtn4);
		layer.encodeBeforeRope(1, range(8), rtn4);
		const [after, before] = [layer.keys(0), layer.keys(1)];
		for (const head of [0, 1]) {
			layer.keep(head, [0, 6]);
			layer.rerotate(head);
		}
		expect(layer.keys(0).slice(8)).toEqual(arm.rope.rotate(after.slice(48, 56), [1 - 6], 8));
		const turned = arm.rope.rotate(before.slice(48, 56), [1 - 6], 8);
		layer.keys(1).slice(8).forEach((x, i) => expect(x).toBeCloseTo(turned[i], 5));
	});
});

describe('encoding', () => {
	it('presents exactly what the payload decodes to', () => {
		const layer = randomArm(9).layers[0];
		const exact = layer.values(0);
		layer.encode(0, 'V', range(9), rtn4);
		expect(layer.values(0)).toEqual(rtn4.decode(rtn4.encode(exact, 9, 8)));
		expect([...layer.exact(0, 'V')]).toEqual(new Array(9).fill(0));
		expect([...layer.exact(0, 'K')]).toEqual(new Array(9).fill(1));
	});

	it('leaves slots exact at 16 bits', () => {
		const arm = randomArm(9);
		const exact = arm.layers[0].keys(0);
		arm.layers[0].encode(0, 'K', range(9), uniformCodec({ bits: 16, axis: 'token', group: 8 }));
		expect(arm.layers[0].keys(0)).toEqual(exact);
		expect(arm.bill().total).toBe(randomArm(9).bill().total);
	});

	it('drops rows of per-token blocks with their slots, keeps per-channel blocks until all are dead', () => {
		const arm = randomArm(8);
		const layer = arm.layers[0];
		layer.encode(0, 'K', range(8), rtn4);
		layer.encode(0, 'V', range(8), rtn2);
		const values = layer.values(0);
		const before = arm.bill();
		layer.evict(0, [3]);
		const after = arm.bill();
		// One row of 8 two-bit codes with one scale and one zero goes; of K nothing does.
		expect(before.items.payload - after.items.payload).toBe(2);
		expect(before.items.scales - after.items.scales).toBe(2);
		expect(before.items.zeros - after.items.zeros).toBe(2);
		expect(layer.values(0)).toEqual(Float32Array.from([...values.slice(0, 24), ...values.slice(32)]));
		layer.keep(0, [6]);
		expect(layer.values(0)).toEqual(values.slice(56));
		// Three exact heads of 8 slots, and the whole K block of 64 four-bit codes for one live slot.
		expect(arm.bill().payloadK).toBe(3 * 8 * 16 + 32);
		arm.append(0, 0, new Float32Array(8), new Float32Array(8), 8);
		layer.evict(0, [0]);
		expect(arm.bill().payloadK).toBe(3 * 8 * 16 + 16);
	});

	it('bills a shared basis once', () => {
		const arm = randomArm(8);
		const basis = Float32Array.from({ length: 16 }, (_, i) => (i % 2 === (i >> 1) % 2 && i < 4 ? 1 : 0));
		const codec = lowRankCodec({ basis, columns: 8, rank: 2, precision: 16 });
		arm.layers[0].encode(0, 'K', range(4), codec);
		arm.layers[0].encode(0, 'K', range(4, 4), codec);
		arm.layers[1].encodeBeforeRope(1, range(8), codec);
		expect(arm.bill().items.codebooks).toBe(32);
		expect(arm.records.map((record) => record.verb)).toEqual(['project', 'project', 'project']);
	});
});

describe('merge, hide, summarise, replace', () => {
	it('folds slots into one and counts its bias', () => {
		const arm = randomArm(6);
		const layer = arm.layers[0];
		const value = new Float32Array(8).fill(0.5);
		layer.merge(0, [{ into: 2, from: [1, 3], weights: [0.25, 0.75], value, bias: Math.log(3) }]);
		expect([...layer.positions(0)]).toEqual([0, 2, 4, 5]);
		expect(layer.values(0).slice(8, 16)).toEqual(value);
		expect(layer.bias(0)[1]).toBeCloseTo(Math.log(3));
		expect(arm.bill().items.state).toBe(4 * 2);
		const cells = cellStates(arm, 7);
		expect([...cells.slice(0, 7)].map((state) => CELL_STATES[state])).toEqual(['kept', 'evicted', 'merged', 'evicted', 'kept', 'kept', 'absent']);
	});

	it('does not merge protected slots away', () => {
		const layer = randomArm(6).layers[0];
		layer.protect([3], 'hand');
		expect(() => layer.merge(0, [{ into: 2, from: [3], weights: [1], value: new Float32Array(8) }])).toThrow(/protected/);
	});

	it('hides and shows, recording changes only', () => {
		const arm = randomArm(6);
		arm.layers[0].hide(0, [1, 2]);
		arm.layers[0].hide(0, [2, 3]);
		arm.layers[0].show(0, [0, 1]);
		expect([...arm.layers[0].hidden(0)]).toEqual([0, 0, 1, 1, 0, 0]);
		expect(arm.records.map(({ verb, positions }) => [verb, ...positions])).toEqual([['hide', 1, 2], ['hide', 3], ['show', 1]]);
	});

	it('replaces a head but not its protected slots', () => {
		const arm = randomArm(6);
		const layer = arm.layers[0];
		layer.protect([4], 'hand');
		const numbers = fixtureNormal('new', 16);
		const slots = { positions: Int32Array.of(1, 4), keys: numbers, values: numbers, bias: Float32Array.of(0, 1) };
		layer.replace(0, slots);
		expect(layer.keys(0)).toEqual(numbers);
		expect(() => layer.replace(0, { ...slots, positions: Int32Array.of(1, 5) })).toThrow(/protected/);
	});
});

it('refuses numbers that do not fit', () => {
	const arm = randomArm(3);
	expect(() => ArmCache.fromPrompt({ shape: TINY, n: 4, keys: () => new Float32Array(3), values: () => new Float32Array(3), rope: arm.rope })).toThrow(RangeError);
});
