import { describe, expect, it } from 'vitest';
import { CELL_STATES } from '$lib/documents/trace.ts';
import { ArmCache } from './arm-cache.ts';
import { cellStates } from './cells.ts';
import { lowRankCodec } from './codecs/lowrank.ts';
import { uniformCodec } from './codecs/uniform.ts';
import { WORDS, wordCodec } from './codecs/words.ts';
import { randomArm, TINY } from './testing.ts';

const d = TINY.headDim;
const rows = uniformCodec({ bits: 4, axis: 'token', group: 8 });
const columns = uniformCodec({ bits: 4, axis: 'channel', group: 4 });
const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i);
const statesOf = (arm: ArmCache, span: number) => [...cellStates(arm, span).subarray(0, span)].map((state) => CELL_STATES[state]);
const last = (arm: ArmCache) => arm.records.at(-1)!;

describe('restore', () => {
	it('puts evicted slots back with their numbers, where they belong', () => {
		const [full, arm] = [randomArm(10), randomArm(10)];
		const layer = arm.layers[0];
		layer.keep(0, [0, 4, 9]);
		layer.restore(0, full.layers[0].numbersAt(0, [2, 3, 7]));
		expect([...layer.positions(0)]).toEqual([0, 2, 3, 4, 7, 9]);
		expect([...last(arm).positions]).toEqual([2, 3, 7]);
		expect(last(arm).verb).toBe('restore');
		expect(statesOf(arm, 10)).toEqual(['kept', 'evicted', 'restored', 'restored', 'kept', 'evicted', 'evicted', 'restored', 'evicted', 'kept']);
		layer.restore(0, full.layers[0].numbersAt(0, [1, 5, 6, 8]));
		expect(layer.keys(0)).toEqual(full.layers[0].keys(0));
		expect(layer.values(0)).toEqual(full.layers[0].values(0));
		expect(arm.bill()).toEqual(full.bill());
	});

	it('keeps apart what a fork restores, and appends after it', () => {
		const arm = randomArm(4);
		const numbers = arm.layers[1].numbersAt(1, [3]);
		arm.layers[1].evict(1, [3]);
		const fork = arm.fork();
		fork.layers[1].restore(1, numbers);
		expect(arm.layers[1].length(1)).toBe(3);
		fork.append(1, 1, new Float32Array(d), new Float32Array(d), 4);
		expect([...fork.layers[1].positions(1)]).toEqual([0, 1, 2, 3, 4]);
	});

	it('stands at the angle that it is given, until keys are turned again', () => {
		const [full, arm] = [randomArm(6), randomArm(6)];
		const layer = arm.layers[0];
		layer.keep(0, [0, 1, 5]);
		layer.rerotate(0);
		layer.restore(0, full.layers[0].numbersAt(0, [3]));
		expect([...layer.rotaryPositions(0)]).toEqual([0, 1, 3, 2]);
		layer.rerotate(0);
		expect([...layer.rotaryPositions(0)]).toEqual([0, 1, 2, 3]);
		expect(layer.keys(0).slice(2 * d, 3 * d)).toEqual(arm.rope.rotate(full.layers[0].keys(0).slice(3 * d, 4 * d), [-1], d));
	});

	it('says what cannot be restored', () => {
		const arm = randomArm(4);
		const layer = arm.layers[0];
		const source = layer.numbersAt(0, [1, 2]);
		expect(() => layer.restore(0, source)).toThrow('layer 0, head 0: position 1 is there already');
		layer.keep(0, [0]);
		expect(() => layer.restore(0, { ...source, positions: Int32Array.of(2, 1) })).toThrow(/must ascend/);
		expect(() => layer.restore(0, { ...source, positions: Int32Array.of(2, 4) })).toThrow(/4 tokens have been read/);
		expect(() => layer.restore(0, { ...source, keys: new Float32Array(1) })).toThrow(/do not fit 2 slots/);
		expect(() => layer.restore(0, { ...source, angles: Int32Array.of(1) })).toThrow(/1 angles/);
		expect(() => layer.numbersAt(0, [1])).toThrow(/no slot at position 1/);
		expect(layer.length(0)).toBe(1);
	});
});

describe('offload and fetch', () => {
	it('moves bytes from fast to slow memory and back', () => {
		const arm = randomArm(16);
		const before = arm.bill();
		const layer = arm.layers[0];
		layer.offload(0, range(12));
		layer.offload(0, range(4));
		const bytes = 12 * d * 2 * 2;
		expect(last(arm)).toMatchObject({ verb: 'offload', bytes });
		expect(arm.records.length).toBe(1);
		// A bit a slot says which are where; positions stay.
		expect(arm.bill()).toMatchObject({ total: before.total + 2, fast: before.total + 2 - bytes, slow: { payload: bytes } });
		expect([...layer.hidden(0)]).toEqual(range(16).map((slot) => Number(slot < 12)));
		layer.show(0, [0]);
		layer.hide(0, [1]);
		layer.fetch(0, range(16));
		expect(last(arm)).toMatchObject({ verb: 'fetch', bytes });
		expect([...layer.hidden(0)].map((x, i) => x && i).filter(Boolean)).toEqual([1]);
		expect(statesOf(arm, 3)).toEqual(['fetched', 'hidden', 'fetched']);
		expect(arm.bill()).toEqual(before);
	});

	it('cuts blocks whose rows stand apart, and moves others as a whole', () => {
		const arm = randomArm(8);
		const layer = arm.layers[0];
		layer.encode(0, 'K', range(8), columns);
		layer.encode(0, 'V', range(8), rows);
		const [ofK, ofV] = [32 + 2 * 2 * 16, 4 + 2 + 2];
		layer.offload(0, range(7));
		expect(last(arm).bytes).toBe(7 * ofV);
		layer.offload(0, [7]);
		expect(last(arm).bytes).toBe(ofV + ofK);
		layer.fetch(0, [0]);
		expect(last(arm).bytes).toBe(ofV + ofK);
		expect(arm.fork().bill()).toEqual(arm.bill());
	});

	it('leaves a shared codebook where it is', () => {
		const arm = randomArm(8);
		const codec = lowRankCodec({ basis: Float32Array.from({ length: d }, (_, i) => Number(i === 0)), columns: d, rank: 1, precision: 16 });
		arm.layers[0].encode(0, 'K', range(8), codec);
		arm.layers[0].offload(0, range(8));
		expect(arm.bill().slow).toEqual({ payload: 8 * 2 + 8 * 2 * d });
	});

	it('lets nothing but fetching and dropping happen to what is away', () => {
		const layer = randomArm(8).layers[0];
		layer.offload(0, [3]);
		expect(() => layer.encode(0, 'K', range(4), rows)).toThrow('layer 0, head 0: slot 3 lies in slow memory and must be fetched first');
		expect(() => layer.merge(0, [{ into: 2, from: [3], weights: [1], value: new Float32Array(d) }])).toThrow(/fetched first/);
		expect(() => layer.share(0, 'K', [3], { layer: layer, head: 1 })).toThrow(/fetched first/);
		layer.evict(0, [3]);
		expect(layer.length(0)).toBe(7);
	});
});

describe('share', () => {
	it('has its owner pay, in the arm or in another', () => {
		const [base, arm] = [randomArm(8, TINY, 'base'), randomArm(8)];
		const whole = arm.bill().total;
		arm.layers[1].share(0, 'K', range(8), { layer: arm.layers[0], head: 1 });
		expect(arm.layers[1].keys(0)).toEqual(arm.layers[0].keys(1));
		expect(arm.bill().total).toBe(whole - 8 * d * 2);
		arm.layers[0].share(0, 'V', range(4), { layer: base.layers[0], head: 0, name: 'the first request' });
		expect(last(arm)).toMatchObject({ verb: 'share', which: 'V', owner: { layer: 0, head: 0, name: 'the first request' } });
		expect([...arm.layers[0].shared(0, 'V')]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
		expect(arm.bill().total).toBe(whole - 8 * d * 2 - 4 * d * 2 + 1);
		expect(arm.pack().filter(({ what }) => what === 'owners').length).toBe(1);
		expect(base.bill().total).toBe(whole);
	});

	it('ends where either side changes or drops what it has', () => {
		const arm = randomArm(8);
		const [one, two] = arm.layers;
		const keys = one.keys(0);
		two.share(0, 'K', range(8), { layer: one, head: 0 });
		two.share(1, 'K', range(8), { layer: two, head: 0 });
		one.evict(0, [0, 1]);
		one.encode(0, 'K', [0], rows);
		one.merge(0, [{ into: 1, from: [], weights: [], value: new Float32Array(d), key: new Float32Array(d) }]);
		two.evict(0, [7]);
		expect([...two.shared(0, 'K')]).toEqual([0, 0, 0, 0, 1, 1, 1]);
		expect([...two.shared(1, 'K')]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
		expect(two.keys(0)).toEqual(keys.slice(0, 7 * d));
	});

	it('shares blocks, and ends where the owner drops rows of one', () => {
		const arm = randomArm(8);
		const [one, two] = arm.layers;
		for (const codec of [rows, columns]) {
			const [head, which] = codec === rows ? [0, 'V' as const] : [1, 'K' as const];
			one.encode(head, which, range(8), codec);
			const before = arm.bill();
			two.share(head, which, range(8), { layer: one, head });
			expect(which === 'K' ? two.keys(head) : two.values(head)).toEqual(which === 'K' ? one.keys(head) : one.values(head));
			expect(before.total - arm.bill().total).toBe(8 * d * 2);
		}
		one.evict(0, [2]);
		expect([...two.shared(0, 'V')]).toEqual(new Array(8).fill(0));
		two.evict(1, [3]);
		expect([...two.shared(1, 'K')]).toEqual(new Array(7).fill(1));
	});

	it('lasts in a fork, with the fork of the owner', () => {
		const arm = randomArm(4);
		arm.layers[1].share(0, 'V', range(4), { layer: arm.layers[0], head: 0 });
		const fork = arm.fork();
		expect(fork.bill()).toEqual(arm.bill());
		fork.layers[0].evict(0, [0]);
		expect([...fork.layers[1].shared(0, 'V')]).toEqual([0, 1, 1, 1]);
		expect([...arm.layers[1].shared(0, 'V')]).toEqual([1, 1, 1, 1]);
	});

	it('says what cannot be shared', () => {
		const arm = randomArm(4);
		const [one, two] = arm.layers;
		expect(() => one.share(0, 'K', [0], { layer: one, head: 0 })).toThrow(/with itself/);
		one.keep(0, [0, 3]);
		expect(() => two.share(0, 'K', [1], { layer: one, head: 0 })).toThrow(/no slot at position 1/);
		one.rerotate(0);
		expect(() => two.share(0, 'K', [3], { layer: one, head: 0 })).toThrow(/another angle/);
		two.share(0, 'V', [3], { layer: one, head: 0 });
	});
});

describe('corrupt', () => {
	it('flips the bit of an exact number as it is stored', () => {
		const arm = randomArm(4);
		const layer = arm.layers[0];
		const numbers = { positions: Int32Array.of(0, 1), keys: new Float32Array(2 * d).fill(1), values: new Float32Array(2 * d).fill(3), bias: new Float32Array(2) };
		layer.replace(0, numbers);
		const flip = (which: 'K' | 'V', bit: number, word: 'f16' | 'bf16' | 'f32') => {
			layer.corrupt(0, which, [{ slot: 0, channel: 2, bit }], { word });
			const [{ from, to }] = last(arm).flips!;
			expect((which === 'K' ? layer.keys(0) : layer.values(0))[2]).toBe(to);
			layer.corrupt(0, which, [{ slot: 0, channel: 2, bit }], { word });
			expect(last(arm).flips).toEqual([{ position: 0, channel: 2, bit, from: to, to: from }]);
			return to;
		};
		expect(flip('K', 14, 'bf16')).toBe(Infinity);
		expect(flip('V', 13, 'bf16')).toBe(3 * 2 ** 64);
		expect(flip('V', 14, 'bf16')).toBeCloseTo(5.9e-39, 40);
		expect(flip('V', 15, 'f16')).toBe(-3);
		expect(flip('K', 31, 'f32')).toBe(-1);
		expect(flip('K', 0, 'f32')).toBe(1 + 2 ** -23);
		expect(flip('K', 10, 'f16')).toBe(0.5);
		expect(layer.keys(0)).toEqual(numbers.keys);
		expect(layer.values(0)).toEqual(numbers.values);
		expect(statesOf(arm, 2)).toEqual(['corrupted', 'kept']);
	});

	it('reads encoded slots from the changed payload, every one that it holds', () => {
		const arm = randomArm(8);
		const layer = arm.layers[0];
		layer.encode(0, 'K', range(8), columns);
		const [before, bill, untouched] = [layer.keys(0), arm.bill(), arm.fork()];
		// The step of channel 3 of tokens 4 … 7.
		layer.corrupt(0, 'K', [{ slot: 5, part: 1, bit: 16 * (d + 3) + 9 }]);
		const changed = [...layer.keys(0)].flatMap((x, i) => (x === before[i] ? [] : [i]));
		expect(changed.length).toBeGreaterThan(1);
		for (const i of changed) expect([i % d, Math.floor(i / d) >= 4]).toEqual([3, true]);
		const { from, to } = last(arm).flips![0];
		expect(from ^ to).toBe(1 << 9);
		expect(arm.bill()).toEqual(bill);
		expect(untouched.layers[0].keys(0)).toEqual(before);
		layer.corrupt(0, 'K', [{ slot: 5, part: 1, bit: 16 * (d + 3) + 9 }, { slot: 2, channel: 1, bit: 3 }]);
		expect([...layer.keys(0)].flatMap((x, i) => (x === before[i] ? [] : [i]))).toEqual([2 * d + 1]);
		layer.corrupt(0, 'K', [{ slot: 2, channel: 1, bit: 3 }]);
		expect(layer.keys(0)).toEqual(before);
	});

	it('turns corrupted keys like sound ones', () => {
		const arm = randomArm(8);
		const layer = arm.layers[0];
		layer.encodeBeforeRope(0, range(4), columns);
		layer.evict(0, [0]);
		layer.rerotate(0);
		const twin = arm.fork();
		for (const slot of [1, 5]) layer.corrupt(0, 'K', [{ slot, channel: 2, bit: 2 }], { word: 'f16' });
		layer.corrupt(0, 'K', [{ slot: 1, channel: 2, bit: 2 }]);
		expect(layer.keys(0).slice(0, 4 * d)).toEqual(twin.layers[0].keys(0).slice(0, 4 * d));
		layer.evict(0, [0]);
		layer.rerotate(0);
		const stored = randomArm(8).layers[0].keys(0).slice(6 * d, 7 * d);
		stored[2] = WORDS.f16.toNumber(WORDS.f16.toWord(stored[2]) ^ 4);
		expect(layer.keys(0).slice(4 * d, 5 * d)).toEqual(arm.rope.rotate(stored, [4 - 6], d));
	});

	it('reaches all who share, and nobody else', () => {
		const [owner, one, other] = ['owner', 'one', 'other'].map(() => randomArm(6));
		for (const arm of [one, other]) {
			arm.layers[0].share(0, 'V', range(4), { layer: owner.layers[0], head: 0 });
			arm.layers[0].share(1, 'V', range(4), { layer: owner.layers[0], head: 1 });
		}
		other.layers[0].evict(0, [1]);
		const alone = other.layers[0].values(0);
		one.layers[0].corrupt(0, 'V', [{ slot: 1, channel: 0, bit: 15 }]);
		expect(one.layers[0].values(0)[d]).toBe(owner.layers[0].values(0)[d]);
		expect(owner.layers[0].values(0)[d]).not.toBe(randomArm(6).layers[0].values(0)[d]);
		expect(other.layers[0].values(0)).toEqual(alone);
		expect([...one.layers[0].shared(0, 'V')]).toEqual([1, 1, 1, 1, 0, 0]);
		expect(owner.layers[0].values(1)).toEqual(other.layers[0].values(1));
	});

	it('says which bit there is not, and then flips none', () => {
		const layer = randomArm(4).layers[0];
		const before = layer.keys(0);
		const bad = (fault: object, word?: 'f16') => () => layer.corrupt(0, 'K', [{ slot: 1, channel: 0, bit: 0 }, { slot: 0, channel: 0, bit: 0, ...fault }], { word });
		expect(bad({ bit: 16 })).toThrow('a number stored as half floats has 16 bits; there is no bit 16');
		expect(bad({ channel: d })).toThrow(/no channel 8/);
		expect(bad({ slot: 4 })).toThrow(/no slot 4/);
		expect(() => layer.corrupt(0, 'K', [{ slot: 0, part: 0, bit: 0 }])).toThrow(/is exact/);
		expect(layer.keys(0)).toEqual(before);
		layer.encode(0, 'V', range(4), lowRankCodec({ basis: new Float32Array(d).fill(1), columns: d, rank: 1, precision: 16 }));
		expect(() => layer.corrupt(0, 'V', [{ slot: 0, channel: 0, bit: 0 }])).toThrow(/belongs to one channel alone/);
		expect(() => layer.corrupt(0, 'V', [{ slot: 0, part: 1, bit: 0 }])).toThrow(/codebook/);
		expect(() => layer.corrupt(0, 'V', [{ slot: 0, part: 2, bit: 0 }])).toThrow(/no part 2/);
		expect(() => layer.corrupt(0, 'V', [{ slot: 0, part: 0, bit: 64 }])).toThrow(/has 64 bits/);
		layer.corrupt(0, 'V', [{ slot: 3, part: 0, bit: 63 }]);
	});
});

describe('numbers as words', () => {
	it('round to the nearest, ties to even, and come back as they are', () => {
		expect([1, 0.5, 3].map(WORDS.bf16.toWord)).toEqual([0x3f80, 0x3f00, 0x4040]);
		expect(WORDS.bf16.toWord(1 + 2 ** -8)).toBe(0x3f80);
		expect(WORDS.bf16.toWord(1 + 3 * 2 ** -8)).toBe(0x3f82);
		expect(WORDS.bf16.toWord(-Infinity)).toBe(0xff80);
		expect(WORDS.bf16.toNumber(WORDS.bf16.toWord(NaN))).toBeNaN();
		for (const word of ['f16', 'bf16'] as const) {
			for (let bits = 0; bits < 65536; bits += 7) {
				const x = WORDS[word].toNumber(bits);
				if (!Number.isNaN(x)) expect(WORDS[word].toWord(x)).toBe(bits);
			}
		}
	});

	it('cost what exact slots cost, and flipping twice gives the same bits', () => {
		const arm = randomArm(6);
		const before = arm.bill();
		const layer = arm.layers[0];
		layer.encode(0, 'V', range(6), wordCodec('bf16'));
		expect(arm.bill()).toEqual(before);
		expect(statesOf(arm, 6)).toEqual(new Array(6).fill('kept'));
		const values = layer.values(0);
		for (let bit = 0; bit < 16; bit++) {
			layer.corrupt(0, 'V', [{ slot: 4, channel: 6, bit }]);
			expect(layer.values(0)[4 * d + 6]).toBe(WORDS.bf16.toNumber(WORDS.bf16.toWord(values[4 * d + 6]) ^ (1 << bit)));
			layer.corrupt(0, 'V', [{ slot: 4, channel: 6, bit }]);
		}
		expect(layer.values(0)).toEqual(values);
		layer.evict(0, [0, 1]);
		expect(layer.values(0)).toEqual(values.slice(2 * d));
	});
});
